// Time as the code sees it, so that tests can move it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace orlop {

using Millis = std::chrono::milliseconds;
using Nanos = std::chrono::nanoseconds;

class Clock {
  public:
    virtual ~Clock() = default;
    // CLOCK_MONOTONIC: for deadlines, backoff, periods. Never goes back.
    virtual Nanos monotonic() const = 0;
    // CLOCK_REALTIME since the epoch: for timestamps that people and APIs see.
    virtual Nanos wall() const = 0;
};

class SystemClock final : public Clock {
  public:
    Nanos monotonic() const override;
    Nanos wall() const override;
};

class FakeClock final : public Clock {
  public:
    Nanos monotonic() const override { return monotonic_; }
    Nanos wall() const override { return wall_; }
    void advance(Nanos by) {
        monotonic_ += by;
        wall_ += by;
    }
    void set_wall(Nanos to) { wall_ = to; }

  private:
    Nanos monotonic_{std::chrono::seconds(1000)};
    Nanos wall_{std::chrono::seconds(1'700'000'000)};
};

// RFC 3339 with nanoseconds in UTC: 2026-01-02T03:04:05.000000006Z (the CRI log format's time).
std::string rfc3339_nano(Nanos since_epoch);

}  // namespace orlop
