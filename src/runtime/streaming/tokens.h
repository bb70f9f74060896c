// The requests that wait for their client: each behind a random token that works once, for a limited time.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "base/clock.h"
#include "base/result.h"
#include "runtime/streaming/backend.h"

namespace orlop::streaming {

using Request = std::variant<ExecRequest, AttachRequest, PortForwardRequest>;

class Tokens {
  public:
    Tokens(const Clock& clock, Nanos lifetime, size_t max) : clock_(clock), lifetime_(lifetime), max_(max) {}

    // 32 hex digits of 128 random bits. Exhausted when `max` are waiting.
    Result<std::string> add(Request request);
    // Unknown, used and expired tokens are the same: nothing.
    std::optional<Request> take(const std::string& token);

  private:
    struct Entry {
        Nanos expires;
        Request request;
    };
    void drop_expired();

    const Clock& clock_;
    const Nanos lifetime_;
    const size_t max_;
    std::mutex mutex_;
    std::map<std::string, Entry> waiting_;  // guarded by mutex_
};

}  // namespace orlop::streaming
