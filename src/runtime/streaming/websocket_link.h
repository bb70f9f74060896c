// A link over WebSocket: each message is one byte that names the channel, then data of the channel. With
// base64 the messages are text: the channel's digit, then the data in base64. With close messages (v5) a
// client half-closes a channel by the two bytes 255, channel.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>

#include "runtime/streaming/link_base.h"
#include "runtime/streaming/websocket.h"

namespace orlop::streaming {

struct MessageFormat {
    bool base64 = false;
    bool close_messages = false;
};

class WebSocketLink final : public LinkBase {
  public:
    // After the upgrade. The channels are 0 .. `channels`-1.
    WebSocketLink(std::unique_ptr<ClientStream> stream, std::unique_ptr<WebSocket> socket,
                  MessageFormat format, Channel channels, Nanos idle_timeout);

    void send(Channel channel, std::string_view bytes) override;
    void finish(Channel) override {}  // the protocol has no word for it
    size_t room(Channel channel) const override;

  private:
    ClientStream& stream() override { return *stream_; }
    void start_read() override;
    void process(std::string_view bytes) override;
    size_t queued() const override { return queued_; }
    bool writing() const override { return writing_; }
    bool goodbye_at_once() const override { return true; }
    void say_goodbye() override;
    void still_here() override;
    void deliver(std::string_view bytes);
    void deliver_base64(std::string_view text, bool last);
    void write_next();

    std::unique_ptr<ClientStream> stream_;
    std::unique_ptr<WebSocket> socket_;
    const MessageFormat format_;
    const Channel channels_;
    std::array<char, kReadSize> input_;
    // Of the message that is being read.
    bool in_message_ = false, is_close_ = false;
    Channel channel_ = 0;
    std::string carry_;  // base64: digits of an unfinished group
    std::deque<std::string> messages_;
    size_t queued_ = 0;
    bool writing_ = false, ponging_ = false;
};

}  // namespace orlop::streaming
