// A container's standard input while it is held open: a pipe or its terminal, fed by whoever is attached.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "base/event_loop.h"

namespace orlop::shim {

class Input {
  public:
    // `once`: the end of the first feeder's input closes the container's.
    static Result<std::unique_ptr<Input>> make(EventLoop& loop, UniqueFd sink, bool once);
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;

    // What comes by `feeder` goes to the container, as fast as that reads; several may feed at once.
    Status feed(UniqueFd feeder);

  private:
    struct Feeder {
        UniqueFd fd;
        Watch watch;
    };
    Input(EventLoop& loop, UniqueFd sink, bool once) : loop_(loop), sink_(std::move(sink)), once_(once) {}
    using Feeders = std::list<Feeder>;
    void read_from(Feeders::iterator feeder);
    Status listen_to(Feeders::iterator feeder);
    void flush();
    void wait(bool for_sink);
    void close();

    EventLoop& loop_;
    UniqueFd sink_;
    bool once_ = false;
    bool over_ = false;  // closes once what is pending is written
    std::string pending_;
    Watch sink_watch_;
    Feeders feeders_;
};

}  // namespace orlop::shim
