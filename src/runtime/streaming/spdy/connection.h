// The server's side of one SPDY/3.1 connection as a state machine: bytes in, events out, bytes to send
// collected in `output`. It answers PING, SETTINGS and WINDOW_UPDATE itself.
//
// Flow control. The clients of Kubernetes ignore it: they never send a WINDOW_UPDATE and write more than a
// window without one. So a client's windows bind us only once it has sent a SETTINGS with an initial window
// size or a WINDOW_UPDATE, and what it sends beyond our windows is no error; both sides then have TCP's
// backpressure only. We announce what was consumed always, for clients that need it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/streaming/spdy/frames.h"

namespace orlop::spdy {

struct Opened {
    uint32_t stream;
    bool fin;
    Headers headers;
};
struct Received {
    uint32_t stream;
    bool fin;
    std::string_view bytes;  // of the input
};
// Both directions of the stream ended at once.
struct WasReset {
    uint32_t stream;
};
struct PeerLeft {};  // GOAWAY
using Event = std::variant<Opened, Received, WasReset, PeerLeft>;

class Connection {
  public:
    static constexpr uint32_t kWindow = 64 * 1024;  // the initial one, both ways
    explicit Connection(size_t max_streams) : max_streams_(max_streams) {}

    // The next event in `input`, whose front it takes; empty: all taken. After an Error the connection is to
    // be left: go_away(ProtocolError).
    Result<std::optional<Event>> next(std::string_view& input);

    void accept(uint32_t stream);  // SYN_REPLY
    void reset(uint32_t stream, Rst status);
    void go_away(Away status);
    void say_nothing();  // a frame without content that asks for no answer

    // What the client's windows leave for the stream; SIZE_MAX without flow control or for a stream that is
    // gone, on which send() does nothing.
    size_t window(uint32_t stream) const;
    void send(uint32_t stream, std::string_view bytes);
    void finish(uint32_t stream);
    // That many received bytes of the stream are no longer held.
    void consumed(uint32_t stream, size_t bytes);

    bool is_open(uint32_t stream) const { return streams_.count(stream) != 0; }
    size_t streams() const { return streams_.size(); }
    std::string& output() { return output_; }
    const std::string& output() const { return output_; }

  private:
    struct Stream {
        bool receives = true, sends = true;
        int64_t window = 0;      // what may still be sent
        size_t unannounced = 0;  // consumed since the last WINDOW_UPDATE
    };
    using Step = Result<std::optional<Event>>;
    Step on(SynStream& frame);
    Step on(SynReply& frame);
    Step on(MoreHeaders& frame);
    Step on(RstStream& frame);
    Step on(Settings& frame);
    Step on(Ping& frame);
    Step on(GoAway& frame);
    Step on(WindowUpdate& frame);
    Step on(Data& frame);
    void put(const Frame& frame) { output_ += encoder_.encode(frame); }
    void drop_if_done(uint32_t stream);
    void announce(uint32_t stream, size_t& unannounced, size_t bytes);

    Decoder decoder_;
    Encoder encoder_;
    std::map<uint32_t, Stream> streams_;
    size_t max_streams_;
    uint32_t last_stream_ = 0;
    int64_t initial_window_ = kWindow;  // the client's
    int64_t session_window_ = kWindow;
    bool flow_control_ = false, session_flow_control_ = false;
    bool left_ = false;  // we sent GOAWAY
    size_t session_unannounced_ = 0;
    std::string output_;
};

}  // namespace orlop::spdy
