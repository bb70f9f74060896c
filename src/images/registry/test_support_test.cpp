#include "images/registry/test_support.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <thread>

namespace orlop::registry::test {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

std::string Call::header(const std::string& name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? "" : at->second;
}

struct HttpServer::Impl {
    explicit Impl(Handler h)
        : handler(std::move(h)), acceptor(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)) {}

    void accept_all() {
        for (;;) {
            auto socket = std::make_shared<tcp::socket>(io);
            boost::system::error_code error;
            acceptor.accept(*socket, error);
            const std::lock_guard lock(mutex);
            if (ending) return;
            sockets.push_back(socket);
            connections.emplace_back([this, socket] { serve(*socket); });
        }
    }

    void serve(tcp::socket& socket) {
        boost::beast::flat_buffer buffer;
        for (;;) {
            http::request<http::string_body> request;
            boost::system::error_code error;
            http::read(socket, buffer, request, error);
            if (error) break;
            Call call{
                std::string(request.method_string()), std::string(request.target()), {}, request.body()};
            for (const auto& field : request) {
                std::string name(field.name_string());
                for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
                call.headers[name] = std::string(field.value());
            }
            {
                const std::lock_guard lock(mutex);
                calls.push_back(call);
            }
            if (!send(socket, call, handler(call))) break;
        }
        boost::system::error_code ignored;
        socket.shutdown(tcp::socket::shutdown_both, ignored);
    }

    // Whether the connection may be used again.
    bool send(tcp::socket& socket, const Call& call, const Reply& reply) {
        std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " x\r\n";
        bool has_length = false;
        for (const auto& [name, value] : reply.headers) {
            head += name + ": " + value + "\r\n";
            has_length = has_length || name == "Content-Length";
        }
        if (!has_length) head += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
        head += "\r\n";
        boost::system::error_code error;
        asio::write(socket, asio::buffer(head), error);
        if (call.method == "HEAD" || error) return !error;
        const size_t size = std::min(reply.cut.value_or(reply.body.size()), reply.body.size());
        asio::write(socket, asio::buffer(reply.body.data(), size), error);
        if (reply.stall) {
            std::unique_lock lock(mutex);
            changed.wait(lock, [this] { return ending; });
        }
        return !error && !reply.cut;
    }

    Handler handler;
    asio::io_context io;
    tcp::acceptor acceptor;
    std::mutex mutex;
    std::condition_variable changed;
    bool ending = false;
    std::vector<Call> calls;
    std::list<std::shared_ptr<tcp::socket>> sockets;
    std::list<std::thread> connections;
    std::thread thread;
};

HttpServer::HttpServer(Handler handler) : impl_(std::make_unique<Impl>(std::move(handler))) {
    authority_ = "127.0.0.1:" + std::to_string(impl_->acceptor.local_endpoint().port());
    impl_->thread = std::thread([this] { impl_->accept_all(); });
}

HttpServer::~HttpServer() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->ending = true;
        impl_->changed.notify_all();
        for (const auto& socket : impl_->sockets) shutdown(socket->native_handle(), SHUT_RDWR);
    }
    shutdown(impl_->acceptor.native_handle(), SHUT_RDWR);
    impl_->thread.join();
    for (std::thread& connection : impl_->connections) connection.join();
}

std::vector<Call> HttpServer::calls() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->calls;
}

size_t HttpServer::count(const std::string& method_and_path) const {
    size_t n = 0;
    for (const Call& call : calls()) n += call.method + " " + call.path() == method_and_path ? 1 : 0;
    return n;
}

std::string digest_text(const std::string& content) {
    return images::sha256_of(content).str();
}

TestImage make_image(const std::vector<images::test::TestLayer>& layers) {
    const auto describe = [](const std::string& type, const std::string& content) {
        return "{\"mediaType\":\"" + type + "\",\"digest\":\"" + digest_text(content) +
               "\",\"size\":" + std::to_string(content.size()) + "}";
    };
    TestImage out;
    const std::string config = images::test::config_for(layers);
    out.config_digest = digest_text(config);
    out.blobs[out.config_digest] = config;
    std::string list;
    for (const auto& layer : layers) {
        const std::string bytes = images::test::compress(layer.tar, layer.squeeze);
        out.layer_digests.push_back(digest_text(bytes));
        out.blobs[out.layer_digests.back()] = bytes;
        list += (list.empty() ? "" : ",") + describe("application/vnd.oci.image.layer.v1.tar+gzip", bytes);
    }
    out.manifest =
        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":" +
        describe("application/vnd.oci.image.config.v1+json", config) + ",\"layers\":[" + list + "]}";
    out.manifest_digest = digest_text(out.manifest);
    return out;
}

void FakeRegistry::push(const TestImage& image, const std::string& tag) {
    const std::lock_guard lock(mutex_);
    manifests_[tag] = manifests_[image.manifest_digest] = image.manifest;
    for (const auto& [digest, content] : image.blobs) blobs_[digest] = content;
}

void FakeRegistry::push_index(const std::string& index, const std::string& tag) {
    const std::lock_guard lock(mutex_);
    manifests_[tag] = manifests_[digest_text(index)] = index;
}

void FakeRegistry::set_blob(const std::string& digest, const std::string& content) {
    const std::lock_guard lock(mutex_);
    blobs_[digest] = content;
}

void FakeRegistry::set_fault(Fault fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
}

void FakeRegistry::ignore_ranges(bool on) {
    const std::lock_guard lock(mutex_);
    ignore_ranges_ = on;
}

Reply FakeRegistry::honest(const Call& call) const {
    const std::lock_guard lock(mutex_);
    const std::string path = call.path();
    const std::string name = path.substr(path.rfind('/') + 1);
    const bool manifest = path.find("/manifests/") != std::string::npos;
    const auto& shelf = manifest ? manifests_ : blobs_;
    const auto at = shelf.find(name);
    if (at == shelf.end())
        return {.status = 404, .body = R"({"errors":[{"code":"UNKNOWN","message":"no such thing"}]})"};
    Reply reply{.body = at->second};
    if (manifest) {
        const bool index = at->second.find("\"manifests\"") != std::string::npos;
        reply.headers = {{"Content-Type", std::string("application/vnd.oci.image.") +
                                              (index ? "index" : "manifest") + ".v1+json"},
                         {"Docker-Content-Digest", digest_text(at->second)}};
    }
    const std::string range = call.header("range");
    if (range.empty() || ignore_ranges_) return reply;
    const size_t from = std::stoul(range.substr(range.find('=') + 1));
    reply.status = 206;
    reply.headers.emplace_back("Content-Range", "bytes " + std::to_string(from) + "-" +
                                                    std::to_string(reply.body.size() - 1) + "/" +
                                                    std::to_string(reply.body.size()));
    reply.body.erase(0, from);
    return reply;
}

Reply FakeRegistry::answer(const Call& call) const {
    Fault fault;
    {
        const std::lock_guard lock(mutex_);
        fault = fault_;
    }
    if (fault) {
        if (auto reply = fault(call)) return *reply;
    }
    return honest(call);
}

Patience quick() {
    return {.stall = std::chrono::milliseconds(500), .first_pause = std::chrono::milliseconds(1)};
}

Node::Node(const images::test::Scratch& where, Settings settings)
    : scratch(where),
      store(images::test::open_store(where)),
      puller(std::make_unique<Puller>(*store, clock, std::move(settings))) {}

Result<images::Image> Node::pull(const std::string& reference, const Credentials& credentials) {
    return puller->pull({reference, credentials, ""}, {}, {});
}

images::Image Node::pulled(const std::string& reference, const Credentials& credentials) {
    auto image = pull(reference, credentials);
    if (image) return *image;
    ADD_FAILURE() << image.error().what();
    return {};
}

Error Node::refused(const std::string& reference, const Credentials& credentials) {
    const auto before = images::test::layer_names(scratch);
    const auto image = pull(reference, credentials);
    EXPECT_FALSE(image) << reference << " was pulled";
    EXPECT_EQ(images::test::names_in(scratch / "store/ingest"), std::vector<std::string>());
    EXPECT_EQ(images::test::layer_names(scratch), before);
    return image ? Error::failed("") : image.error();
}

}  // namespace orlop::registry::test
