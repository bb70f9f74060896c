#include "runtime/shim/output.h"

#include <fcntl.h>

#include <utility>

namespace orlop::shim {

namespace {

constexpr size_t kReadSize = 32u << 10;

}  // namespace

Status Output::add(Stream& stream, UniqueFd fd) {
    if (fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) return Error::sys("make the output non-blocking");
    stream.fd = std::move(fd);
    return listen(stream);
}

bool Output::drain_once(Stream& stream) {
    scratch_.read.resize(kReadSize);
    const ssize_t n = ::read(stream.fd.get(), scratch_.read.data(), scratch_.read.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    // EIO: a terminal whose other side is closed.
    if (n <= 0) {
        close(stream);
        return false;
    }
    const std::string_view data(scratch_.read.data(), static_cast<size_t>(n));
    stream.cutter.feed(data, SystemClock().wall(), scratch_.records);
    write_records();
    clients_->write(&stream == &out_ ? Clients::Stream::Out : Clients::Stream::Err, data);
    // A container that has ended writes no more than its pipes hold: nobody is waited for.
    if (!on_end_ && clients_->waiting()) {
        out_.watch.reset();
        err_.watch.reset();
    }
    return true;
}

void Output::close(Stream& stream) {
    stream.watch.reset();
    stream.fd.reset();
    stream.cutter.flush(SystemClock().wall(), scratch_.records);
    write_records();
    if (ended() && on_end_) std::exchange(on_end_, nullptr)();
}

Status Output::listen(Stream& stream) {
    Stream* at = &stream;
    stream.watch = TRY(loop_.add_fd(stream.fd.get(), EPOLLIN, [this, at](uint32_t) { drain_once(*at); }));
    return ok();
}

// Every client has taken what there was.
void Output::go_on() {
    for (Stream* stream : {&out_, &err_}) {
        if (!stream->fd || stream->watch) continue;
        if (auto r = listen(*stream); !r) {
            on_problem_(r.error());
            close(*stream);
        }
    }
}

void Output::write_records() {
    if (scratch_.records.empty()) return;
    auto r = log_.append(scratch_.records);
    scratch_.records.clear();
    if (!r && !failing_) on_problem_(r.error());
    failing_ = !r;
}

void Output::when_ended(std::function<void()> callback) {
    if (ended()) return callback();
    on_end_ = std::move(callback);
    go_on();
}

void Output::end_now() {
    for (Stream* stream : {&out_, &err_}) {
        // Bounded: a writer outside could go on for ever.
        for (int i = 0; i < 64 && stream->fd && drain_once(*stream); ++i) {
        }
        if (stream->fd) close(*stream);
    }
}

}  // namespace orlop::shim
