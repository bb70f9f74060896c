// What every connection of one server uses.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>

#include "runtime/streaming/backend.h"
#include "runtime/streaming/server.h"
#include "runtime/streaming/tokens.h"

namespace orlop::streaming {

struct Serving {
    static constexpr size_t kBackendThreads = 8;  // calls that may block
    static constexpr size_t kSessionThreads = 2;  // resize, exit code, hang-up of sessions

    Serving(ServerOptions o, Backend& b, const Clock& clock)
        : options(std::move(o)), backend(b), tokens(clock, options.token_lifetime, options.max_tokens) {}

    const ServerOptions options;
    Backend& backend;
    Tokens tokens;
    boost::asio::thread_pool backend_threads{kBackendThreads};
    boost::asio::thread_pool session_threads{kSessionThreads};
    boost::asio::io_context io{1};  // the last: what is left in it refers to the others
};

}  // namespace orlop::streaming
