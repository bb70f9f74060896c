// What a test wants to go wrong: rules, the first of which that matches a request is applied to its answer.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "message.h"

namespace orlop::test_registry {

// A rule as JSON:
//
//   path      regular expression that is searched in the path; default all
//   method    default "GET"; "*" is any
//   after     so many matching requests are let through first (default 0)
//   times     how often it is applied (default 1), 0 for ever
//   do        status        answers `status` (default 500) with `headers` and `body` instead
//             redirect      answers 307 to `to` + "/storage" + path, where no authorization is asked for
//             expire-token  forgets every token, so that 401 is answered
//             ignore-range  answers the whole blob with 200
//             wrong-type    leaves Content-Type and Docker-Content-Digest out
//             reset         ends the connection before an answer
//             stall         sends nothing more from byte `at` on, for `ms` (default 0: until the client goes
//             away or the
//                           rules are removed), and goes on then
//             truncate      ends the connection after byte `at`
//             corrupt       inverts the byte at `at`
//             oversize      sends `at` (default 1) more bytes than there are
//             rate          sends at most `bytes_per_second`
//   at        default half of the answer
struct Fault {
    std::string path, method = "GET", action, to, body;
    std::map<std::string, std::string> headers;
    unsigned status = 500;
    int after = 0, times = 1;
    int64_t at = -1, ms = 0, bytes_per_second = 0;
    uint64_t position(uint64_t size) const { return at < 0 ? size / 2 : static_cast<uint64_t>(at); }
};

class Faults {
  public:
    // One rule or a list of them; what is wrong with it, if something is. All or none are taken.
    std::optional<std::string> add(const std::string& json);
    void clear();
    // The rules that are left, as JSON.
    std::string list() const;
    // Counts the request against the rules.
    std::optional<Fault> next(const Request& request);
    // Changes with every `clear`.
    unsigned generation() const;

  private:
    struct Rule {
        Fault fault;
        std::regex path;
        std::string json;
    };
    mutable std::mutex mutex_;
    std::vector<Rule> rules_;
    unsigned generation_ = 0;
};

}  // namespace orlop::test_registry
