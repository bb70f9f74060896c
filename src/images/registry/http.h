// HTTP by libcurl: one thread drives all transfers; whoever reads a body waits for its own transfer only.
// Redirects and errors of the server are answers like any other here.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "images/stream.h"

namespace orlop::registry {

struct Tls {
    std::vector<std::string> ca_files;  // PEM; beside the system's
    std::string client_cert, client_key;
    bool skip_verify = false;
    bool operator==(const Tls&) const = default;
};

struct Request {
    std::string method = "GET";        // "GET", "HEAD", "POST"
    std::string url;                   // http or https
    std::vector<std::string> headers;  // "Name: value"
    std::string body;                  // of a POST
    Tls tls;
    Nanos connect_timeout = std::chrono::seconds(30);
    Nanos stall_timeout = std::chrono::seconds(60);  // as long without a byte is a failure
    // The body is large and may be read slowly. It comes by HTTP/1.1: a paused stream of HTTP/2 fills
    // libcurl's memory up to its window of 32 MiB.
    bool bulk = false;
};

// A response whose header has come. Destroying it ends the transfer.
class Response : public images::ByteStream {
  public:
    virtual int status() const = 0;
    // "" if there is none; `name` in lower case.
    virtual std::string header(const std::string& name) const = 0;
};

// The body, Exhausted beyond `limit`.
Result<std::string> read_body(Response& response, size_t limit);

class Http {
  public:
    // curl_global_init(3) must have been called.
    static Result<std::unique_ptr<Http>> start();
    // Responses must be gone.
    virtual ~Http() = default;
    // Unavailable if the server cannot be reached or breaks off, TimedOut if it stalls, Failed if `stop` is
    // requested. The same holds for reading the body, for which `stop` is kept.
    virtual Result<std::unique_ptr<Response>> send(const Request& request, std::stop_token stop) = 0;
};

Error stopped_error();

}  // namespace orlop::registry
