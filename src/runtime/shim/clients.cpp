#include "runtime/shim/clients.h"

#include <fcntl.h>
#include <unistd.h>

namespace orlop::shim {

namespace {

// How much of it went: all or a part; -1 when the other side is gone.
ssize_t write_some(int fd, std::string_view data) {
    size_t done = 0;
    while (done < data.size()) {
        const ssize_t n = ::write(fd, data.data() + done, data.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) return -1;
        done += static_cast<size_t>(n);
    }
    return static_cast<ssize_t>(done);
}

}  // namespace

Status Clients::add(UniqueFd control, UniqueFd out, UniqueFd err) {
    for (const UniqueFd* fd : {&out, &err}) {
        if (*fd && fcntl(fd->get(), F_SETFL, O_NONBLOCK) != 0) return Error::sys("attach");
    }
    const At at = clients_.insert(clients_.end(), Client{});
    at->control = std::move(control);
    at->out.fd = std::move(out);
    at->err.fd = std::move(err);
    auto watch = loop_.add_fd(at->control.get(), EPOLLIN, [this, at](uint32_t) { leave(at); });
    if (!watch) {
        clients_.erase(at);
        return std::move(watch).error();
    }
    at->left = std::move(*watch);
    return ok();
}

bool Clients::waiting() const {
    for (const Client& c : clients_) {
        if (!c.out.pending.empty() || !c.err.pending.empty()) return true;
    }
    return false;
}

void Clients::write(Stream stream, std::string_view data) {
    for (auto next = clients_.begin(); next != clients_.end();) {
        const At client = next++;
        Side& side = stream == Stream::Out ? client->out : client->err;
        if (side.fd) take(client, side, data);
    }
}

void Clients::take(At client, Side& side, std::string_view data) {
    ssize_t n = 0;
    if (side.pending.empty()) n = write_some(side.fd.get(), data);
    if (n < 0 || side.pending.size() + data.size() > kMaxBehind) return leave(client);
    if (static_cast<size_t>(n) == data.size()) return;
    side.pending.append(data.substr(static_cast<size_t>(n)));
    if (side.watch) return;
    auto watch =
        loop_.add_fd(side.fd.get(), EPOLLOUT, [this, client, &side](uint32_t) { flush(client, side); });
    if (!watch) return leave(client);
    side.watch = std::move(*watch);
    client->stalled = loop_.add_timer_in(kStall, [this, client] { leave(client); });
}

void Clients::flush(At client, Side& side) {
    const ssize_t n = write_some(side.fd.get(), side.pending);
    if (n < 0) return leave(client);
    side.pending.erase(0, static_cast<size_t>(n));
    if (n > 0) client->stalled = loop_.add_timer_in(kStall, [this, client] { leave(client); });
    if (!side.pending.empty()) return;
    side.watch.reset();
    settle(client);
}

// Nothing is pending on one side any more.
void Clients::settle(At client) {
    if (!client->out.pending.empty() || !client->err.pending.empty()) return;
    client->stalled.reset();
    if (on_done_) return leave(client);
    if (!waiting()) on_room_();
}

void Clients::leave(At client) {
    const bool waited = !client->out.pending.empty() || !client->err.pending.empty();
    clients_.erase(client);
    if (on_done_) {
        // The callback may destroy this object.
        if (clients_.empty()) std::exchange(on_done_, nullptr)();
        return;
    }
    if (waited && !waiting()) on_room_();
}

void Clients::finish(std::function<void()> on_done) {
    for (auto next = clients_.begin(); next != clients_.end();) {
        const At client = next++;
        if (client->out.pending.empty() && client->err.pending.empty()) clients_.erase(client);
    }
    if (clients_.empty()) return on_done();
    on_done_ = std::move(on_done);
}

}  // namespace orlop::shim
