// What SPDY and WebSocket links have in common: when reading stops and goes on, time limits, the end.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "base/clock.h"
#include "runtime/streaming/client_stream.h"
#include "runtime/streaming/link.h"

namespace orlop::streaming {

class LinkBase : public Link, public std::enable_shared_from_this<LinkBase> {
  public:
    // Received and not yet taken; more of it, or of what waits to be sent, stops the reading.
    static constexpr size_t kMaxHeld = 512 * 1024;
    static constexpr size_t kMaxQueued = 64 * 1024;
    static constexpr size_t kReadSize = 32 * 1024;

    void start(std::shared_ptr<LinkUser> user, std::string_view already_read);
    void taken(Channel channel, size_t bytes) override;
    void close() override;
    void abort() override;

  protected:
    LinkBase(asio::any_io_executor executor, Nanos idle_timeout);

    virtual ClientStream& stream() = 0;
    virtual void start_read() = 0;  // one; ends in was_read
    // Hands the events in the bytes to the user.
    virtual void process(std::string_view bytes) = 0;
    virtual void give_back(Channel, size_t) {}
    virtual size_t queued() const = 0;  // bytes that wait to be sent
    virtual bool writing() const = 0;
    virtual void say_goodbye() = 0;  // at the end of close(), or when the client did not leave by itself
    virtual bool goodbye_at_once() const = 0;
    // Each second while reading is stopped: sends something, which a client that is gone answers by a reset.
    virtual void still_here() = 0;

    void was_read(Code code, std::string_view bytes);
    void was_written(Code code, bool counts = true);  // against idleness
    void go_on_reading();
    void hold(size_t bytes) { held_ += bytes; }
    // Null once the end has begun: what still comes is of no interest.
    LinkUser* user() { return closing_ ? nullptr : user_.get(); }
    bool over() const { return over_; }
    bool closing() const { return closing_; }

  private:
    bool reading_stopped() const { return held_ > kMaxHeld || queued() > 2 * kMaxQueued; }
    void wait_for_idleness();
    void watch_while_stopped();
    void leave();
    void close_when_sent();
    void touch() { last_byte_ = std::chrono::steady_clock::now(); }

    std::shared_ptr<LinkUser> user_;
    const Nanos idle_timeout_;
    asio::steady_timer idle_timer_, stopped_timer_, closing_timer_;
    std::chrono::steady_clock::time_point last_byte_;
    size_t held_ = 0;
    bool reading_ = false, processing_ = false, watching_ = false;
    bool closing_ = false, leaving_ = false, over_ = false;
};

}  // namespace orlop::streaming
