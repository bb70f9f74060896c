#include "runtime/streaming/spdy/connection.h"

#include <algorithm>

namespace orlop::spdy {

namespace {

constexpr int64_t kMaxWindow = 0x7fffffff;

}  // namespace

Result<std::optional<Event>> Connection::next(std::string_view& input) {
    while (true) {
        auto frame = TRY(decoder_.next(input));
        if (!frame) return std::optional<Event>();
        auto event = std::visit([this](auto& f) { return on(f); }, *frame);
        if (!event || *event) return event;
    }
}

Connection::Step Connection::on(SynStream& frame) {
    // Section 2.3.2: the client's ids are odd and grow.
    if (frame.stream % 2 == 0 || frame.stream <= last_stream_)
        return Error::invalid("SPDY stream " + std::to_string(frame.stream) + " out of order");
    last_stream_ = frame.stream;
    if (left_) return std::optional<Event>();
    if (streams_.size() >= max_streams_) {
        put(RstStream{frame.stream, Rst::RefusedStream});
        return std::optional<Event>();
    }
    streams_[frame.stream] = {
        .receives = !frame.fin, .sends = !frame.unidirectional, .window = initial_window_};
    Opened opened{frame.stream, frame.fin, std::move(frame.headers)};
    drop_if_done(frame.stream);
    return std::optional<Event>(std::move(opened));
}

Connection::Step Connection::on(SynReply& frame) {
    put(RstStream{frame.stream, Rst::InvalidStream});
    return std::optional<Event>();
}

Connection::Step Connection::on(MoreHeaders& frame) {
    const auto at = streams_.find(frame.stream);
    if (at == streams_.end() || !frame.fin || !at->second.receives) return std::optional<Event>();
    at->second.receives = false;
    drop_if_done(frame.stream);
    return std::optional<Event>(Received{frame.stream, true, {}});
}

Connection::Step Connection::on(RstStream& frame) {
    if (streams_.erase(frame.stream) == 0) return std::optional<Event>();
    return std::optional<Event>(WasReset{frame.stream});
}

Connection::Step Connection::on(Settings& frame) {
    for (const Setting& setting : frame.values) {
        if (setting.id != kInitialWindowSize) continue;
        if (setting.value > kMaxWindow) return Error::invalid("SPDY initial window too large");
        flow_control_ = true;
        // Section 2.6.8: a change counts for open streams too, whose windows may become negative.
        const int64_t change = setting.value - initial_window_;
        initial_window_ = setting.value;
        for (auto& [id, stream] : streams_) stream.window += change;
    }
    return std::optional<Event>();
}

Connection::Step Connection::on(Ping& frame) {
    if (frame.id % 2 == 1) put(frame);
    return std::optional<Event>();
}

Connection::Step Connection::on(GoAway&) {
    return std::optional<Event>(PeerLeft{});
}

Connection::Step Connection::on(WindowUpdate& frame) {
    if (frame.stream == 0) {
        session_flow_control_ = true;
        session_window_ += frame.delta;
        if (session_window_ > kMaxWindow) return Error::invalid("SPDY session window too large");
        return std::optional<Event>();
    }
    flow_control_ = true;
    const auto at = streams_.find(frame.stream);
    if (at == streams_.end()) return std::optional<Event>();
    at->second.window += frame.delta;
    if (at->second.window <= kMaxWindow) return std::optional<Event>();
    reset(frame.stream, Rst::FlowControlError);
    return std::optional<Event>(WasReset{frame.stream});
}

Connection::Step Connection::on(Data& frame) {
    const auto at = streams_.find(frame.stream);
    if (at == streams_.end()) {
        // Data may be under way to a stream that was reset here; only one that never was is an error.
        if (frame.stream > last_stream_) put(RstStream{frame.stream, Rst::InvalidStream});
        announce(0, session_unannounced_, frame.bytes.size());
        return std::optional<Event>();
    }
    if (!at->second.receives) {
        reset(frame.stream, Rst::StreamAlreadyClosed);
        announce(0, session_unannounced_, frame.bytes.size());
        return std::optional<Event>(WasReset{frame.stream});
    }
    at->second.receives = !frame.fin;
    drop_if_done(frame.stream);
    if (frame.bytes.empty() && !frame.fin) return std::optional<Event>();
    return std::optional<Event>(Received{frame.stream, frame.fin, frame.bytes});
}

void Connection::accept(uint32_t stream) {
    put(SynReply{.stream = stream, .fin = false, .headers = {}});
}

void Connection::reset(uint32_t stream, Rst status) {
    if (streams_.erase(stream) != 0) put(RstStream{stream, status});
}

void Connection::go_away(Away status) {
    if (left_) return;
    left_ = true;
    put(GoAway{last_stream_, status});
}

void Connection::say_nothing() {
    put(Settings{});
}

size_t Connection::window(uint32_t stream) const {
    const auto at = streams_.find(stream);
    if (at == streams_.end() || !at->second.sends) return SIZE_MAX;
    size_t window = SIZE_MAX;
    if (flow_control_) window = static_cast<size_t>(std::max<int64_t>(at->second.window, 0));
    if (session_flow_control_)
        window = std::min(window, static_cast<size_t>(std::max<int64_t>(session_window_, 0)));
    return window;
}

void Connection::send(uint32_t stream, std::string_view bytes) {
    const auto at = streams_.find(stream);
    if (at == streams_.end() || !at->second.sends) return;
    at->second.window -= static_cast<int64_t>(bytes.size());
    session_window_ -= static_cast<int64_t>(bytes.size());
    while (!bytes.empty()) {
        const std::string_view part = bytes.substr(0, kMaxData);
        put(Data{stream, false, part});
        bytes.remove_prefix(part.size());
    }
}

void Connection::finish(uint32_t stream) {
    const auto at = streams_.find(stream);
    if (at == streams_.end() || !at->second.sends) return;
    at->second.sends = false;
    put(Data{stream, true, {}});
    drop_if_done(stream);
}

void Connection::consumed(uint32_t stream, size_t bytes) {
    announce(0, session_unannounced_, bytes);
    const auto at = streams_.find(stream);
    if (at != streams_.end() && at->second.receives) announce(stream, at->second.unannounced, bytes);
}

void Connection::announce(uint32_t stream, size_t& unannounced, size_t bytes) {
    unannounced += bytes;
    if (unannounced < kWindow / 2) return;
    put(WindowUpdate{stream, static_cast<uint32_t>(unannounced)});
    unannounced = 0;
}

void Connection::drop_if_done(uint32_t stream) {
    const auto at = streams_.find(stream);
    if (at != streams_.end() && !at->second.receives && !at->second.sends) streams_.erase(at);
}

}  // namespace orlop::spdy
