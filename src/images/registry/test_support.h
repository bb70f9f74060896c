// For the tests of this module: an HTTP server in the process that answers what a function says, also badly,
// and a registry on it.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "images/registry/puller.h"
#include "images/test_support.h"

namespace orlop::registry::test {

struct Call {
    std::string method, target;                  // "GET", "/v2/x/manifests/1?ns=a"
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
    std::string header(const std::string& name) const;
    std::string path() const { return target.substr(0, target.find('?')); }
};

struct Reply {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
    // Only this much of the body is sent, and then
    std::optional<size_t> cut = {};
    bool stall = false;  // nothing more comes (false: the connection ends)
};

class HttpServer {
  public:
    using Handler = std::function<Reply(const Call&)>;
    explicit HttpServer(Handler handler);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    ~HttpServer();
    // "127.0.0.1:port".
    const std::string& authority() const { return authority_; }
    std::string origin() const { return "http://" + authority_; }
    std::vector<Call> calls() const;
    // How many of them were "METHOD path".
    size_t count(const std::string& method_and_path) const;

  private:
    struct Impl;
    std::string authority_;
    std::unique_ptr<Impl> impl_;
};

// One image in pieces: what a registry has of it.
struct TestImage {
    std::string manifest, manifest_digest;
    std::string config_digest;
    std::vector<std::string> layer_digests;
    std::map<std::string, std::string> blobs;  // by digest
};
TestImage make_image(const std::vector<images::test::TestLayer>& layers);
std::string digest_text(const std::string& content);

// Repositories are not told apart: what is there is everywhere.
class FakeRegistry {
  public:
    // Asked first; what it answers goes out instead.
    using Fault = std::function<std::optional<Reply>(const Call&)>;
    FakeRegistry() : server_([this](const Call& call) { return answer(call); }) {}

    void push(const TestImage& image, const std::string& tag);
    void push_index(const std::string& index, const std::string& tag);
    void set_blob(const std::string& digest, const std::string& content);
    void set_fault(Fault fault);
    void ignore_ranges(bool on);
    HttpServer& server() { return server_; }
    std::string reference(const std::string& rest) const { return server_.authority() + "/" + rest; }
    // The blob's or manifest's honest reply, for faults that are almost right.
    Reply honest(const Call& call) const;

  private:
    Reply answer(const Call& call) const;

    mutable std::mutex mutex_;
    std::map<std::string, std::string> manifests_;  // by tag and digest
    std::map<std::string, std::string> blobs_;
    Fault fault_;
    bool ignore_ranges_ = false;
    HttpServer server_;  // last: it answers from the rest
};

// Patience for tests: pauses of a millisecond.
Patience quick();

// A store in `scratch` and a puller on it.
struct Node {
    explicit Node(const images::test::Scratch& scratch, Settings settings = {.patience = quick()});
    Result<images::Image> pull(const std::string& reference, const Credentials& credentials = {});
    // Of a pull that must succeed.
    images::Image pulled(const std::string& reference, const Credentials& credentials = {});
    // Of a pull that must not; nothing of it may be left in the store.
    Error refused(const std::string& reference, const Credentials& credentials = {});

    const images::test::Scratch& scratch;
    SystemClock clock;
    std::unique_ptr<images::Store> store;
    std::unique_ptr<Puller> puller;
};

}  // namespace orlop::registry::test
