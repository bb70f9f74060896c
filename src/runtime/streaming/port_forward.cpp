#include "runtime/streaming/port_forward.h"

#include <fcntl.h>

#include <boost/asio/post.hpp>
#include <cstring>

#include "runtime/streaming/protocols.h"

namespace orlop::streaming {

namespace {

std::string header(const std::map<std::string, std::string>& headers, const std::string& name) {
    const auto at = headers.find(name);
    return at == headers.end() ? "" : at->second;
}

// Clients from before request ids open the error stream, then the data stream.
std::string request_id(Channel channel, const std::map<std::string, std::string>& headers, bool is_data) {
    const std::string id = header(headers, "requestid");
    if (!id.empty()) return id;
    return "stream " + std::to_string(is_data ? channel - 2 : channel);
}

}  // namespace

PortForward::PortForward(Serving& serving, std::string sandbox, std::vector<uint16_t> ports,
                         std::shared_ptr<Link> link)
    : serving_(serving), sandbox_(std::move(sandbox)), ports_(std::move(ports)), link_(std::move(link)) {}

void PortForward::start() {
    for (Channel i = 0; i < ports_.size(); ++i) {
        const auto pair = std::make_shared<Pair>(serving_.io.get_executor());
        pair->port = ports_[i];
        pair->data = 2 * i;
        pair->error = 2 * i + 1;
        const std::string port{static_cast<char>(pair->port & 0xff), static_cast<char>(pair->port >> 8)};
        for (const Channel channel : {*pair->data, *pair->error}) {
            pairs_[channel] = pair;
            link_->send(channel, port);
        }
        dial(pair);
    }
}

bool PortForward::opened(Channel channel, const std::map<std::string, std::string>& headers) {
    const auto port = parse_port(header(headers, "port"));
    const std::string type = header(headers, "streamtype");
    const bool is_data = type == "data";
    if (!port || (!is_data && type != "error")) return false;
    const PairPtr pair = pair_with_id(request_id(channel, headers, is_data));
    auto& mine = is_data ? pair->data : pair->error;
    if (mine) return false;
    mine = channel;
    if (is_data) pair->port = *port;
    pairs_[channel] = pair;
    if (pair->data && pair->error) {
        pair->timer.cancel();
        incomplete_.erase(pair->id);
        dial(pair);
    }
    return true;
}

PortForward::PairPtr PortForward::pair_with_id(const std::string& id) {
    PairPtr& pair = incomplete_[id];
    if (!pair) {
        pair = std::make_shared<Pair>(serving_.io.get_executor());
        pair->id = id;
        wait_for_other(pair);
    }
    return pair;
}

void PortForward::wait_for_other(const PairPtr& pair) {
    pair->timer.expires_after(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(serving_.options.creation_timeout));
    pair->timer.async_wait([weak = weak_from_this(), pair](Code code) {
        const auto self = weak.lock();
        if (code || !self || self->gone_ || pair->over) return;
        self->incomplete_.erase(pair->id);
        self->end(pair, "timed out waiting for the other stream of request " + pair->id);
    });
}

void PortForward::dial(const PairPtr& pair) {
    asio::post(serving_.backend_threads, [self = shared_from_this(), pair, &serving = serving_] {
        auto socket = std::make_shared<Result<UniqueFd>>(serving.backend.dial(self->sandbox_, pair->port));
        asio::post(serving.io, [self, pair, socket] {
            if (!self->gone_ && !pair->over) self->connected(pair, std::move(*socket));
        });
    });
}

void PortForward::connected(const PairPtr& pair, Result<UniqueFd> socket) {
    if (!socket) return end(pair, socket.error().what());
    UniqueFd writes(fcntl(socket->get(), F_DUPFD_CLOEXEC, 0));
    if (!writes) return end(pair, std::string("no descriptor: ") + strerror(errno));
    const auto over = [weak = weak_from_this(), pair = std::weak_ptr(pair)](int) {
        const auto self = weak.lock();
        const auto p = pair.lock();
        if (self && p) self->one_way_over(p);
    };
    const auto executor = serving_.io.get_executor();
    pair->out = std::make_shared<OutPump>(executor, *std::move(socket), link_, *pair->data, over);
    pair->in = std::make_shared<InPump>(executor, std::move(writes), link_, *pair->data, over);
    const auto in = pair->in;
    const auto out = pair->out;
    in->write(std::exchange(pair->early_input, {}));
    if (pair->input_finished) in->finish();
    out->kick();
}

void PortForward::received(Channel channel, std::string_view bytes) {
    const auto at = pairs_.find(channel);
    if (at == pairs_.end() || at->second->data != channel) return link_->taken(channel, bytes.size());
    const PairPtr pair = at->second;
    if (const auto in = pair->in) return in->write(bytes);
    pair->early_input += bytes;
}

void PortForward::finished(Channel channel, bool both_ways) {
    const auto at = pairs_.find(channel);
    if (at == pairs_.end() || at->second->data != channel) return;
    const PairPtr pair = at->second;
    if (both_ways) return end(pair, "");
    pair->input_finished = true;
    if (const auto in = pair->in) in->finish();
}

void PortForward::room_again() {
    const auto pairs = pairs_;  // they may end
    for (const auto& [channel, pair] : pairs)
        if (const auto out = pair->out; out && pair->data == channel) out->kick();
}

// That the pod reset the connection is no matter for the error channel: client-go ends all pairs for one
// message there.
void PortForward::one_way_over(const PairPtr& pair) {
    if (pair->over || !pair->out || !pair->in || !pair->out->is_over()) return;
    link_->finish(*pair->data);
    // A WebSocket cannot say that one direction of a channel has ended, so the end of the pod's is the end.
    if (pair->in->is_over() || !ports_.empty()) end(pair, "");
}

void PortForward::end(const PairPtr& pair, const std::string& error) {
    if (std::exchange(pair->over, true)) return;
    stop(*pair);
    if (pair->error && !error.empty())
        link_->send(*pair->error, "error forwarding port " + std::to_string(pair->port) + " to pod " +
                                      sandbox_ + ": " + error);
    for (const auto& channel : {pair->data, pair->error}) {
        if (!channel) continue;
        link_->finish(*channel);
        pairs_.erase(*channel);
    }
    if (!ports_.empty() && pairs_.empty()) link_->close();
}

void PortForward::stop(Pair& pair) {
    pair.timer.cancel();
    const auto in = std::exchange(pair.in, nullptr);
    const auto out = std::exchange(pair.out, nullptr);
    if (in) in->stop();
    if (out) out->stop();
    if (!pair.early_input.empty()) link_->taken(*pair.data, std::exchange(pair.early_input, {}).size());
}

void PortForward::gone() {
    gone_ = true;
    const auto pairs = std::exchange(pairs_, {});
    for (const auto& [channel, pair] : pairs) {
        pair->over = true;
        stop(*pair);
    }
    incomplete_.clear();
    link_.reset();
}

}  // namespace orlop::streaming
