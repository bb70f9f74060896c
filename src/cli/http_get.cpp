#include "cli/http_get.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "cli/table.h"

namespace orlop::cli {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Local = asio::local::stream_protocol;

constexpr uint64_t kBodyLimit = 64u << 20;

// One request as a chain of steps, so that one timeout covers them all.
class Exchange {
  public:
    Exchange(const std::string& target, Nanos timeout)
        : stream_(context_), request_(http::verb::get, target, 11) {
        request_.set(http::field::host, "localhost");
        request_.set(http::field::connection, "close");
        parser_.body_limit(kBodyLimit);
        stream_.expires_after(timeout);
    }

    beast::error_code run(const std::string& socket_path) {
        stream_.async_connect(Local::endpoint(socket_path), [this](beast::error_code e) {
            if (failed(e)) return;
            http::async_write(stream_, request_, [this](beast::error_code we, size_t) {
                if (failed(we)) return;
                http::async_read(stream_, buffer_, parser_,
                                 [this](beast::error_code re, size_t) { failed(re); });
            });
        });
        context_.run();
        return error_;
    }

    http::response<http::string_body>& response() { return parser_.get(); }

  private:
    bool failed(beast::error_code e) {
        error_ = e;
        return static_cast<bool>(e);
    }

    asio::io_context context_;
    beast::basic_stream<Local> stream_;
    http::request<http::empty_body> request_;
    beast::flat_buffer buffer_;
    http::response_parser<http::string_body> parser_;
    beast::error_code error_;
};

}  // namespace

Result<std::string> http_get(const std::string& socket_path, const std::string& target, Nanos timeout) try {
    Exchange exchange(target, timeout);
    if (const beast::error_code e = exchange.run(socket_path)) {
        const std::string what = socket_path + ": " + e.message();
        if (e == beast::error::timeout) return Error::timed_out(what);
        if (e == asio::error::connection_refused || e == boost::system::errc::no_such_file_or_directory)
            return Error::unavailable(what);
        return Error::failed(what);
    }
    auto& response = exchange.response();
    if (response.result() == http::status::ok) return std::move(response.body());
    return Error::failed(socket_path + " answers " + std::to_string(response.result_int()) + " to GET " +
                         target + ": " + printable(response.body().substr(0, 200)));
} catch (const std::exception& e) {  // a path that is too long for a socket address, no memory
    return Error::failed(socket_path + ": " + e.what());
}

}  // namespace orlop::cli
