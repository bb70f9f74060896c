// What the pulls of one process share: who is bringing which layer, and how many are brought at once.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"

namespace orlop::registry {

// A layer is brought by one pull; the others wait until that one has it, or has given up.
// A holder must not wait for claims of others.
class Claims {
  public:
    bool take(const std::string& layer);
    void release(const std::string& layer);
    // Until nobody has it. Failed if `stop` is requested.
    Status await(const std::string& layer, std::stop_token stop);

  private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::set<std::string> taken_;
};

// The claims of one pull; what it holds is free again when it ends.
class HeldClaims {
  public:
    explicit HeldClaims(Claims& claims) : claims_(claims) {}
    HeldClaims(const HeldClaims&) = delete;
    HeldClaims& operator=(const HeldClaims&) = delete;
    ~HeldClaims() { release(); }
    bool take(const std::string& layer);
    void release();

  private:
    Claims& claims_;
    std::vector<std::string> held_;
};

// At most so many at a time.
class Slots {
  public:
    explicit Slots(size_t count) : free_(count) {}
    Status take(std::stop_token stop);
    void release();

  private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    size_t free_;
};

}  // namespace orlop::registry
