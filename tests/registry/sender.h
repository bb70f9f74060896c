// How the bytes of an answer go out, with what is to go wrong on the way.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "faults.h"
#include "message.h"

namespace orlop::test_registry {

// The way to the client.
struct Wire {
    // False: the client is gone.
    std::function<bool(const char* bytes, size_t size)> write;
    // Waits so long, or less if the client goes away: false then.
    std::function<bool(int64_t milliseconds)> wait;
};

struct Sent {
    uint64_t bytes = 0;
    bool whole = false;  // the connection can be used on
};

// The body of `reply`. A stall without an end ends with the rules that were there when it began.
Sent send_body(const Reply& reply, const std::optional<Fault>& fault, const Faults& faults, const Wire& wire);

// What Content-Length says: what is sent, but for a truncated answer.
uint64_t announced_size(const Reply& reply, const std::optional<Fault>& fault);

}  // namespace orlop::test_registry
