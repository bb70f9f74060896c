#include "message.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

namespace orlop::test_registry {
namespace {

std::string percent_decoded(const std::string& text) {
    std::string plain;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            plain += static_cast<char>(std::strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
            i += 2;
        } else {
            plain += text[i] == '+' ? ' ' : text[i];
        }
    }
    return plain;
}

}  // namespace

std::string Request::header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? "" : it->second;
}

std::map<std::string, std::string> decode_form(const std::string& text) {
    std::map<std::string, std::string> fields;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('&', begin), text.size());
        const std::string field = text.substr(begin, end - begin);
        const size_t equals = std::min(field.find('='), field.size());
        fields[percent_decoded(field.substr(0, equals))] =
            percent_decoded(field.substr(std::min(equals + 1, field.size())));
        begin = end + 1;
    }
    return fields;
}

void split_target(const std::string& target, Request& request) {
    const size_t mark = std::min(target.find('?'), target.size());
    request.path = target.substr(0, mark);
    request.query = decode_form(target.substr(std::min(mark + 1, target.size())));
}

Reply json_reply(unsigned status, std::string body) {
    Reply reply;
    reply.status = status;
    reply.headers = {{"Content-Type", "application/json"}};
    reply.body = std::move(body);
    return reply;
}

Reply error_reply(unsigned status, const std::string& code, const std::string& message) {
    const nlohmann::json error = {{"code", code}, {"message", message}};
    return json_reply(status, nlohmann::json{{"errors", {error}}}.dump());
}

}  // namespace orlop::test_registry
