// A link over SPDY/3.1; each stream is a channel.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "runtime/streaming/link_base.h"
#include "runtime/streaming/spdy/connection.h"
#include "runtime/streaming/wire.h"

namespace orlop::streaming {

class SpdyLink final : public LinkBase {
  public:
    static constexpr size_t kMaxStreams = 512;
    SpdyLink(std::unique_ptr<Wire> wire, Nanos idle_timeout);

    void send(Channel channel, std::string_view bytes) override;
    void finish(Channel channel) override;
    size_t room(Channel channel) const override;

  private:
    ClientStream& stream() override { return wire_->stream(); }
    void start_read() override;
    void process(std::string_view bytes) override;
    void give_back(Channel channel, size_t bytes) override;
    size_t queued() const override { return connection_.output().size(); }
    bool writing() const override { return writing_; }
    bool goodbye_at_once() const override { return false; }
    void say_goodbye() override;
    void still_here() override;
    void handle(const spdy::Opened& event);
    void handle(const spdy::Received& event);
    void handle(const spdy::WasReset& event);
    void handle(const spdy::PeerLeft& event);
    void flush();

    std::unique_ptr<Wire> wire_;
    spdy::Connection connection_{kMaxStreams};
    std::array<char, kReadSize> input_;
    std::string sending_;
    bool writing_ = false, finishing_ = false, pulse_ = false;
};

}  // namespace orlop::streaming
