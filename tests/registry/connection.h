// One client, plain or TLS, until it goes away. Runs in a thread of its own.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "registry.h"

namespace boost::asio::ssl {
class context;
}

namespace orlop::test_registry {

void serve_plain(boost::asio::ip::tcp::socket socket, Registry& registry);
void serve_tls(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls, Registry& registry);

}  // namespace orlop::test_registry
