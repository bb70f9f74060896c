#include "registry.h"

#include <nlohmann/json.hpp>
#include <regex>

namespace orlop::test_registry {
namespace {

using Json = nlohmann::json;

struct Place {
    std::string repository, kind, reference;
};

// NAME/manifests/REFERENCE, NAME/blobs/DIGEST, NAME/tags/list
std::optional<Place> place_of(const std::string& rest) {
    static const std::regex form("(.+)/(manifests|blobs|tags)/([^/]+)");
    std::smatch found;
    if (!std::regex_match(rest, found, form)) return std::nullopt;
    return Place{found[1], found[2], found[3]};
}

bool begins(const std::string& text, const std::string& with) {
    return text.rfind(with, 0) == 0;
}

// Those that change the answer itself; the others change how it is sent.
bool apply(const Fault& fault, const Request& request, Reply& reply) {
    if (fault.action == "status") {
        reply = error_reply(fault.status, fault.status == 429 ? "TOOMANYREQUESTS" : "UNKNOWN", "injected");
        if (!fault.body.empty()) reply.body = fault.body;
        for (const auto& [name, value] : fault.headers) reply.headers.emplace_back(name, value);
        return true;
    }
    if (fault.action == "redirect") {
        reply = Reply();
        reply.status = 307;
        reply.headers = {{"Location", fault.to + "/storage" + request.path}};
        return true;
    }
    if (fault.action == "wrong-type") {
        std::erase_if(reply.headers, [](const auto& header) {
            return header.first == "Content-Type" || header.first == "Docker-Content-Digest";
        });
        return true;
    }
    return false;
}

}  // namespace

Reply Registry::route(const Request& request, const std::string& rest) {
    if (request.method != "GET" && request.method != "HEAD")
        return error_reply(405, "UNSUPPORTED", request.method);
    if (rest.empty()) return json_reply(200, "{}");
    const auto place = place_of(rest);
    if (!place) return error_reply(404, "NAME_UNKNOWN", rest);
    if (place->kind == "manifests") return content_.manifest(place->repository, place->reference);
    if (place->kind == "blobs") return content_.blob(request, place->reference);
    return content_.tags(place->repository);
}

Answer Registry::answer(const Request& request, const std::string& scheme) {
    if (begins(request.path, "/_test/")) return {control(request), std::nullopt};
    Answer answer;
    answer.fault = faults_.next(request);
    if (answer.fault && answer.fault->action == "expire-token") guard_.forget_tokens();
    Request plain = request;
    if (answer.fault && answer.fault->action == "ignore-range") plain.headers.erase("range");
    if (request.path == "/token") {
        answer.reply = guard_.token(request);
    } else if (begins(request.path, "/storage/v2/")) {
        answer.reply = route(plain, request.path.substr(12));
    } else if (begins(request.path, "/v2/")) {
        const std::string rest = request.path.substr(4);
        const auto place = place_of(rest);
        auto refused =
            guard_.refuse(request, place ? place->repository : "", scheme + "://" + request.header("host"));
        answer.reply = refused ? *refused : route(plain, rest);
    } else {
        answer.reply = error_reply(404, "UNKNOWN", request.path);
    }
    if (answer.fault && apply(*answer.fault, request, answer.reply)) answer.fault.reset();
    return answer;
}

Reply Registry::control(const Request& request) {
    const bool remove = request.method == "DELETE";
    if (request.path == "/_test/tokens" && remove) {
        guard_.forget_tokens();
    } else if (request.path == "/_test/faults" && request.method == "POST") {
        if (const auto wrong = faults_.add(request.body)) return error_reply(400, "INVALID", *wrong);
    } else if (request.path == "/_test/faults" && remove) {
        faults_.clear();
    } else if (request.path == "/_test/faults") {
        return json_reply(200, faults_.list());
    } else if (request.path == "/_test/log" && remove) {
        const std::scoped_lock lock(mutex_);
        log_.clear();
    } else if (request.path == "/_test/log") {
        return json_reply(200, log_text());
    } else {
        return error_reply(404, "UNKNOWN", request.path);
    }
    return json_reply(200, "{}");
}

void Registry::log(const Request& request, unsigned status, uint64_t sent) {
    if (begins(request.path, "/_test/")) return;
    const std::string authorization = request.header("authorization");
    const std::scoped_lock lock(mutex_);
    log_.push_back({request.method, request.path, request.header("host"), request.header("range"),
                    authorization.substr(0, authorization.find(' ')), status, sent});
}

std::string Registry::log_text() const {
    const std::scoped_lock lock(mutex_);
    Json all = Json::array();
    for (const LogEntry& entry : log_)
        all.push_back({{"method", entry.method},
                       {"path", entry.path},
                       {"host", entry.host},
                       {"range", entry.range},
                       {"authorization", entry.authorization},
                       {"status", entry.status},
                       {"sent", entry.sent}});
    return all.dump(1);
}

}  // namespace orlop::test_registry
