// The HTTP part: who is let in, and what the others are told.
#include "runtime/streaming/server.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <boost/asio/ssl.hpp>
#include <filesystem>
#include <thread>

#include "runtime/streaming/clients_for_test.h"

namespace orlop::streaming {
namespace {

class StreamingServer : public testing::Test {
  protected:
    void SetUp() override { serve({}); }
    void serve(ServerOptions options) {
        server.reset();
        auto started = Server::start(std::move(options), backend, clock);
        ASSERT_TRUE(started) << started.error().what();
        server = *std::move(started);
    }
    static ExecRequest exec() {
        return {.container = "c", .command = {"run"}, .tty = false, .in = true, .out = true, .err = true};
    }
    // The whole answer to these bytes.
    std::string answer(std::string_view request) {
        TestSocket socket(server->port());
        socket.send(request);
        std::string all;
        for (std::string part = socket.receive(); !part.empty(); part = socket.receive()) all += part;
        return all;
    }
    // An exec that works shows that the server does.
    bool serves() {
        SpdyClient client(server->port());
        return client.upgrade(*server->url(exec()), "v4.channel.k8s.io").find(" 101 ") != std::string::npos;
    }

    FakeBackend backend;
    FakeClock clock;
    std::unique_ptr<Server> server;
};

TEST_F(StreamingServer, GivesUrlsOfItsOwn) {
    const std::string base = "http://127.0.0.1:" + std::to_string(server->port()) + "/";
    EXPECT_TRUE(server->url(exec())->starts_with(base + "exec/"));
    EXPECT_TRUE(server->url(AttachRequest{.container = "c", .out = true})->starts_with(base + "attach/"));
    EXPECT_TRUE(server->url(PortForwardRequest{"pod"})->starts_with(base + "portforward/"));
}

TEST_F(StreamingServer, RefusesRequestsThatMakeNoSense) {
    const auto kind = [](const Result<std::string>& url) { return url ? Kind::Failed : url.error().kind(); };
    EXPECT_EQ(kind(server->url(ExecRequest{.container = "c", .command = {"run"}})), Kind::Invalid);
    EXPECT_EQ(kind(server->url(ExecRequest{.container = "c", .out = true})), Kind::Invalid);
    EXPECT_EQ(kind(server->url(
                  ExecRequest{.container = "c", .command = {"run"}, .tty = true, .out = true, .err = true})),
              Kind::Invalid);
    EXPECT_EQ(kind(server->url(AttachRequest{.container = "c", .tty = true})), Kind::Invalid);
    EXPECT_EQ(kind(server->url(AttachRequest{.container = "c", .tty = true, .err = true})), Kind::Invalid);
}

TEST_F(StreamingServer, LetsEachTokenInOnce) {
    const std::string url = *server->url(exec());
    SpdyClient first(server->port());
    EXPECT_NE(first.upgrade(url, "v4.channel.k8s.io").find(" 101 "), std::string::npos);
    SpdyClient second(server->port());
    EXPECT_NE(second.upgrade(url, "v4.channel.k8s.io").find(" 404 "), std::string::npos);
}

TEST_F(StreamingServer, LetsNoTokenInAfterItsTime) {
    const std::string url = *server->url(exec());
    clock.advance(std::chrono::minutes(1));
    SpdyClient client(server->port());
    EXPECT_NE(client.upgrade(url, "v4.channel.k8s.io").find(" 404 "), std::string::npos);
}

TEST_F(StreamingServer, GivesNoMoreTokensThanItsLimit) {
    serve({.max_tokens = 2});
    EXPECT_TRUE(server->url(exec()));
    EXPECT_TRUE(server->url(exec()));
    const auto url = server->url(exec());
    ASSERT_FALSE(url);
    EXPECT_EQ(url.error().kind(), Kind::Exhausted);
}

TEST_F(StreamingServer, TellsOthersWhatIsWrong) {
    const auto path = [this] { return path_of(*server->url(exec())); };
    const auto forward = [this] { return path_of(*server->url(PortForwardRequest{"pod"})); };
    const std::string v4 = "X-Stream-Protocol-Version: v4.channel.k8s.io\r\n";
    const std::string socket =
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    const struct {
        const char* name;
        std::string request;
        const char* status;
    } rows[] = {
        {"no such page", upgrade_request("/", v4), "404"},
        {"no token", upgrade_request("/exec/", v4), "404"},
        {"a guessed token", upgrade_request("/exec/00000000000000000000000000000000", v4), "404"},
        {"a token of another kind", upgrade_request("/attach" + path().substr(5), v4), "404"},
        {"a path above", upgrade_request("/x" + path(), v4), "404"},
        {"no upgrade", "GET " + path() + " HTTP/1.1\r\nHost: node\r\n\r\n", "400"},
        {"no version", upgrade_request(path(), ""), "400"},
        {"an unknown version", upgrade_request(path(), "X-Stream-Protocol-Version: v9\r\n"), "403"},
        {"an exec's version for a forward", upgrade_request(forward(), v4), "403"},
        {"an unknown WebSocket protocol",
         "GET " + path() + " HTTP/1.1\r\nHost: node\r\n" + socket + "Sec-WebSocket-Protocol: v9\r\n\r\n",
         "403"},
        {"a forward without ports", "GET " + forward() + " HTTP/1.1\r\nHost: node\r\n" + socket + "\r\n",
         "400"},
        {"a forward with no port",
         "GET " + forward() + "?port=x HTTP/1.1\r\nHost: node\r\n" + socket + "\r\n", "400"},
        {"another method", "DELETE " + path() + " HTTP/1.1\r\nHost: node\r\n\r\n", "405"},
        {"a body", "POST " + path() + " HTTP/1.1\r\nHost: node\r\nContent-Length: 5\r\n\r\nhello", "413"},
        {"a huge body", "POST " + path() + " HTTP/1.1\r\nHost: node\r\nContent-Length: 99999999999\r\n\r\nx",
         "413"},
        {"a chunked body",
         "POST " + path() + " HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
         "413"},
        {"long headers", "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", "431"},
        {"no HTTP", "hello\r\n\r\n", "400"},
    };
    for (const auto& row : rows) {
        const std::string got = answer(row.request);
        EXPECT_TRUE(got.starts_with(std::string("HTTP/1.1 ") + row.status)) << row.name << ": " << got;
    }
    EXPECT_TRUE(serves());
}

TEST_F(StreamingServer, NamesItsProtocolsToThoseWithOthers) {
    const std::string got =
        answer(upgrade_request(path_of(*server->url(exec())), "X-Stream-Protocol-Version: v9\r\n"));
    EXPECT_NE(got.find("X-Accepted-Stream-Protocol-Versions: v4.channel.k8s.io, v3.channel.k8s.io, "
                       "v2.channel.k8s.io, channel.k8s.io\r\n"),
              std::string::npos)
        << got;
}

TEST_F(StreamingServer, TakesTheFirstVersionItKnows) {
    SpdyClient client(server->port());
    const std::string head = client.upgrade(
        *server->url(exec()),
        "v5.channel.k8s.io\r\nX-Stream-Protocol-Version: v3.channel.k8s.io, v4.channel.k8s.io");
    EXPECT_NE(head.find("X-Stream-Protocol-Version: v3.channel.k8s.io\r\n"), std::string::npos) << head;
}

TEST_F(StreamingServer, ReadsFramesThatCameWithTheRequest) {
    TestSocket socket(server->port());
    spdy::Encoder encoder;
    socket.send(
        upgrade_request(path_of(*server->url(exec())), "X-Stream-Protocol-Version: v4.channel.k8s.io\r\n") +
        encoder.encode(spdy::Ping{1}));
    std::string rest;
    socket.head(rest);
    while (rest.size() < 12) {
        const std::string part = socket.receive();
        ASSERT_FALSE(part.empty());
        rest += part;
    }
    EXPECT_EQ(rest, encoder.encode(spdy::Ping{1}));
}

// Slow loris: connections that never finish their request.
TEST_F(StreamingServer, ThoseThatNeverAskKeepNobodyOut) {
    std::vector<std::unique_ptr<TestSocket>> silent;
    for (int i = 0; i < 300; ++i) {
        silent.push_back(std::make_unique<TestSocket>(server->port()));
        silent.back()->send("GET / HTT");
    }
    EXPECT_TRUE(serves());
    EXPECT_EQ(silent.front()->receive(), "");
}

TEST_F(StreamingServer, WhereSomebodyListensAlreadyDoesNotStart) {
    FakeBackend other;
    const auto second = Server::start({.port = server->port()}, other, clock);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind(), Kind::Exists);
    EXPECT_FALSE(Server::start({.address = "localhost"}, other, clock));
    EXPECT_FALSE(Server::start({.tls_certificate = "/nowhere"}, other, clock));
    EXPECT_FALSE(Server::start({.tls_certificate = "/nowhere", .tls_key = "/nowhere"}, other, clock));
}

// A key and a certificate that it signs itself.
void make_certificate(const std::string& certificate, const std::string& key_file) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* x509 = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    X509_sign(x509, key, EVP_sha256());
    FILE* file = fopen(certificate.c_str(), "we");
    PEM_write_X509(file, x509);
    fclose(file);
    file = fopen(key_file.c_str(), "we");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    fclose(file);
    X509_free(x509);
    EVP_PKEY_free(key);
}

TEST_F(StreamingServer, ServesOverTls) {
    const auto dir = std::filesystem::temp_directory_path() / ("orlop-streaming-" + std::to_string(getpid()));
    std::filesystem::create_directory(dir);
    make_certificate(dir / "cert.pem", dir / "key.pem");
    serve({.tls_certificate = dir / "cert.pem", .tls_key = dir / "key.pem"});
    std::filesystem::remove_all(dir);
    const std::string url = *server->url(exec());
    EXPECT_TRUE(url.starts_with("https://127.0.0.1:"));

    TestSocket tcp(server->port());
    boost::asio::ssl::context context(boost::asio::ssl::context::tls_client);
    boost::asio::ssl::stream<TestTcp::socket&> tls(tcp.socket, context);
    boost::system::error_code code;
    tls.handshake(boost::asio::ssl::stream_base::client, code);
    ASSERT_FALSE(code) << code.message();
    boost::asio::write(tls,
                       boost::asio::buffer(
                           upgrade_request(path_of(url), "X-Stream-Protocol-Version: v4.channel.k8s.io\r\n")),
                       code);
    spdy::Encoder encoder;
    boost::asio::write(tls, boost::asio::buffer(encoder.encode(spdy::Ping{1})), code);
    std::string got(4096, '\0');
    size_t size = 0;
    while (!code && got.substr(0, size).find(encoder.encode(spdy::Ping{1})) == got.npos)
        size += tls.read_some(boost::asio::buffer(got.data() + size, got.size() - size), code);
    EXPECT_TRUE(got.starts_with("HTTP/1.1 101 ")) << got.substr(0, size);
    EXPECT_FALSE(code) << code.message();

    // Plain text to a TLS port is no request.
    EXPECT_EQ(answer("GET / HTTP/1.1\r\n\r\n").find("HTTP/1.1"), std::string::npos);
}

}  // namespace
}  // namespace orlop::streaming
