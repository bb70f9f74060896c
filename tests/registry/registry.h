// The paths of the server:
//
//   /v2/...              GET and HEAD of the distribution specification
//   /storage/v2/...      the same without authorization: where redirects lead
//   /token               the token server
//   /_test/faults        GET, POST (a rule or a list, see faults.h), DELETE
//   /_test/log           GET, DELETE: the requests below /v2, /storage and /token, in the order of their
//   answers
//   /_test/tokens        DELETE
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "content.h"
#include "faults.h"
#include "guard.h"

namespace orlop::test_registry {

struct LogEntry {
    std::string method, path, host, range, authorization;  // only the scheme of it
    unsigned status = 0;
    uint64_t sent = 0;  // bytes of the body
};

struct Answer {
    Reply reply;
    std::optional<Fault> fault;  // of how it is sent
};

class Registry {
  public:
    Registry(std::string directory, GuardOptions options)
        : content_(std::move(directory)), guard_(std::move(options)) {}

    // `scheme` is http or https.
    Answer answer(const Request& request, const std::string& scheme);
    // Of what was sent at last.
    void log(const Request& request, unsigned status, uint64_t sent);
    Faults& faults() { return faults_; }

  private:
    Reply control(const Request& request);
    Reply route(const Request& request, const std::string& rest);
    std::string log_text() const;

    Content content_;
    Guard guard_;
    Faults faults_;
    mutable std::mutex mutex_;
    std::vector<LogEntry> log_;
};

}  // namespace orlop::test_registry
