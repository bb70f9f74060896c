// A request and its answer, apart from how they travel.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace orlop::test_registry {

struct Request {
    std::string method;
    std::string path;                            // without the query
    std::map<std::string, std::string> query;    // percent-decoded
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
    std::string header(const std::string& name) const;
};

// `target` as it stands in the request line.
void split_target(const std::string& target, Request& request);
// application/x-www-form-urlencoded
std::map<std::string, std::string> decode_form(const std::string& text);

struct Reply {
    unsigned status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    // Instead of `body`, `length` bytes of a file from `from` on.
    std::string file;
    uint64_t from = 0, length = 0;
    uint64_t size() const { return file.empty() ? body.size() : length; }
};

Reply json_reply(unsigned status, std::string body);
// An error of the distribution specification ("Error Codes").
Reply error_reply(unsigned status, const std::string& code, const std::string& message);

}  // namespace orlop::test_registry
