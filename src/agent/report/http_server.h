// A small HTTP server in a thread of its own: GET requests answered by the loop.
//   healthz   127.0.0.1:10248   /healthz
//   status    unix socket 0600  /healthz /pods /status
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/result.h"

namespace orlop::agent {

struct HttpAnswer {
    unsigned status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
};

// Called in the server's thread; `reply` may be called later and from any thread.
using HttpHandler = std::function<void(const std::string& path, std::function<void(HttpAnswer)> reply)>;

// Limits: headers 8 KiB, no bodies, 64 connections a listener, 10 s for each request and its answer.
class HttpServer {
  public:
    HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    ~HttpServer();

    // Exists: another process has it. `address` is an IP.
    Status listen_tcp(const std::string& address, uint16_t port, HttpHandler handler);
    // Replaces a socket that nobody listens on; Exists if somebody does. Mode 0600.
    Status listen_unix(const std::string& path, HttpHandler handler);
    void start();

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
    std::thread thread_;
};

}  // namespace orlop::agent
