// The two directions between a descriptor of a process or pod and a channel of a client. Neither reads what
// the other end has no room for.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/unique_fd.h"
#include "runtime/streaming/client_stream.h"
#include "runtime/streaming/link.h"

namespace orlop::streaming {

// From a non-blocking pipe or stream socket to the client.
class OutPump : public std::enable_shared_from_this<OutPump> {
  public:
    // `ended` is called once, with the errno that ended it or 0 for the end of file; not after stop().
    OutPump(asio::any_io_executor executor, UniqueFd fd, std::shared_ptr<Link> link, Channel channel,
            std::function<void(int)> ended);
    void kick();   // there is room again
    void drain();  // what is there is the rest: ends when nothing can be read at once
    void stop();
    bool is_over() const { return !fd_.is_open(); }

  private:
    void pump();
    void end(int code);

    asio::posix::stream_descriptor fd_;
    std::shared_ptr<Link> link_;
    const Channel channel_;
    std::function<void(int)> ended_;
    bool waiting_ = false, draining_ = false;
};

// From the client to a non-blocking pipe or stream socket.
class InPump : public std::enable_shared_from_this<InPump> {
  public:
    // `ended`: the descriptor is closed, because the client has finished (0) or the process takes no more.
    InPump(asio::any_io_executor executor, UniqueFd fd, std::shared_ptr<Link> link, Channel channel,
           std::function<void(int)> ended);
    void write(std::string_view bytes);
    void finish();
    void stop();
    bool is_over() const { return !fd_.is_open(); }

  private:
    void pump();
    void end(int code);

    asio::posix::stream_descriptor fd_;
    std::shared_ptr<Link> link_;
    const Channel channel_;
    std::function<void(int)> ended_;
    std::string held_;
    size_t written_ = 0;  // of held_
    bool waiting_ = false, finishing_ = false;
};

}  // namespace orlop::streaming
