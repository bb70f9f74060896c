// Port-forwards with real connections on loopback; the test is the pod and the client.
#include <gtest/gtest.h>

#include <thread>

#include "runtime/streaming/clients_for_test.h"
#include "runtime/streaming/server.h"

namespace orlop::streaming {
namespace {

class PortForward : public testing::Test {
  protected:
    void SetUp() override { serve({}); }
    void serve(ServerOptions options) {
        server.reset();
        auto started = Server::start(std::move(options), backend, clock);
        ASSERT_TRUE(started) << started.error().what();
        server = *std::move(started);
    }
    std::string url() { return *server->url(PortForwardRequest{"pod"}); }

    FakeBackend backend;
    SystemClock clock;
    std::unique_ptr<Server> server;
};

struct SpdyForward {
    SpdyForward(uint16_t port, const std::string& url) : client(port) {
        head = client.upgrade(url, "portforward.k8s.io");
    }
    struct Pair {
        uint32_t error, data;
    };
    Pair open(const std::string& id, const std::string& port) {
        const auto headers = [&](const char* type) {
            return spdy::Headers{{"streamtype", type}, {"port", port}, {"requestid", id}};
        };
        const uint32_t error = client.open(headers("error"));
        client.send(error, "", true);
        return {error, client.open(headers("data"))};
    }
    SpdyClient client;
    std::string head;
};

TEST_F(PortForward, MovesBytesOfSeveralConnectionsAtOnce) {
    SpdyForward forward(server->port(), url());
    EXPECT_NE(forward.head.find("X-Stream-Protocol-Version: portforward.k8s.io"), std::string::npos);
    const auto one = forward.open("0", "80");
    UniqueFd pod_one = backend.next_peer();
    const auto two = forward.open("1", "443");
    UniqueFd pod_two = backend.next_peer();
    ASSERT_TRUE(pod_one && pod_two);
    EXPECT_EQ(backend.dialled, (std::vector<std::pair<std::string, uint16_t>>{{"pod", 80}, {"pod", 443}}));
    forward.client.send(two.data, "to two");
    forward.client.send(one.data, "to one");
    EXPECT_EQ(read_from(pod_one.get(), 6), "to one");
    EXPECT_EQ(read_from(pod_two.get(), 6), "to two");
    write_to(pod_two.get(), "from two");
    write_to(pod_one.get(), "from one");
    EXPECT_TRUE(forward.client.until_data(one.data, "from one"));
    EXPECT_TRUE(forward.client.until_data(two.data, "from two"));
    pod_one.reset();
    EXPECT_TRUE(forward.client.until_fin(one.data));
    EXPECT_FALSE(forward.client.streams[two.data].fin);
}

TEST_F(PortForward, HalfClosesBothWays) {
    SpdyForward forward(server->port(), url());
    const auto first = forward.open("0", "80");
    UniqueFd pod = backend.next_peer();
    ASSERT_TRUE(pod);
    forward.client.send(first.data, "request", true);
    EXPECT_EQ(read_from(pod.get()), "request");
    write_to(pod.get(), "response");
    pod.reset();
    EXPECT_TRUE(forward.client.until_fin(first.data));
    EXPECT_EQ(forward.client.streams[first.data].data, "response");
    EXPECT_TRUE(forward.client.until_fin(first.error));
    EXPECT_EQ(forward.client.streams[first.error].data, "");

    const auto second = forward.open("1", "80");
    pod = backend.next_peer();
    ASSERT_TRUE(pod);
    shutdown(pod.get(), SHUT_WR);
    EXPECT_TRUE(forward.client.until_fin(second.data));
    forward.client.send(second.data, "more", true);
    EXPECT_EQ(read_from(pod.get()), "more");
    EXPECT_TRUE(forward.client.until_fin(second.error));
}

TEST_F(PortForward, PairsStreamsOfClientsWithoutRequestIds) {
    SpdyForward forward(server->port(), url());
    forward.client.open({{"streamtype", "error"}, {"port", "80"}});
    const uint32_t data = forward.client.open({{"streamtype", "data"}, {"port", "80"}});
    forward.client.send(data, "hello");
    const UniqueFd pod = backend.next_peer();
    ASSERT_TRUE(pod);
    EXPECT_EQ(read_from(pod.get(), 5), "hello");
}

TEST_F(PortForward, TellsOfAPortNobodyListensOn) {
    backend.on_dial = [](uint16_t) -> Result<UniqueFd> { return Error::failed("connection refused"); };
    SpdyForward forward(server->port(), url());
    const auto pair = forward.open("0", "81");
    EXPECT_TRUE(forward.client.until_fin(pair.error));
    EXPECT_TRUE(forward.client.until_fin(pair.data));
    EXPECT_EQ(forward.client.streams[pair.error].data,
              "error forwarding port 81 to pod pod: connection refused");
    backend.on_dial = nullptr;
    forward.open("1", "82");
    EXPECT_TRUE(backend.next_peer());
}

TEST_F(PortForward, RefusesStreamsItCannotUse) {
    SpdyForward forward(server->port(), url());
    forward.client.open({{"streamtype", "data"}, {"port", "80"}, {"requestid", "7"}});
    for (const auto& headers : {
             spdy::Headers{{"streamtype", "data"}, {"requestid", "1"}},
             spdy::Headers{{"streamtype", "data"}, {"port", "0"}, {"requestid", "1"}},
             spdy::Headers{{"streamtype", "data"}, {"port", "65536"}, {"requestid", "1"}},
             spdy::Headers{{"streamtype", "data"}, {"port", "80x"}, {"requestid", "1"}},
             spdy::Headers{{"streamtype", "stdin"}, {"port", "80"}, {"requestid", "1"}},
             spdy::Headers{{"port", "80"}, {"requestid", "1"}},
             spdy::Headers{{"streamtype", "data"}, {"port", "80"}, {"requestid", "7"}},
         }) {
        const uint32_t stream = forward.client.open(headers);
        EXPECT_TRUE(forward.client.until([&] { return forward.client.streams[stream].reset; }));
    }
}

TEST_F(PortForward, GivesUpOnAStreamWithoutItsOther) {
    ServerOptions options;
    options.creation_timeout = std::chrono::milliseconds(50);
    serve(options);
    SpdyForward forward(server->port(), url());
    const uint32_t error = forward.client.open({{"streamtype", "error"}, {"port", "80"}, {"requestid", "0"}});
    EXPECT_TRUE(forward.client.until_fin(error));
    EXPECT_NE(forward.client.streams[error].data.find("timed out"), std::string::npos);
    const auto pair = forward.open("0", "80");
    EXPECT_TRUE(backend.next_peer());
    EXPECT_FALSE(forward.client.streams[pair.data].reset);
}

TEST_F(PortForward, EndsTheConnectionWhoseStreamIsReset) {
    SpdyForward forward(server->port(), url());
    const auto pair = forward.open("0", "80");
    const UniqueFd pod = backend.next_peer();
    ASSERT_TRUE(pod);
    forward.client.send(spdy::RstStream{pair.data, spdy::Rst::Cancel});
    EXPECT_EQ(read_from(pod.get()), "");
    EXPECT_TRUE(forward.client.until_fin(pair.error));
}

TEST_F(PortForward, EndsAllConnectionsWhenTheClientLeaves) {
    UniqueFd one, two;
    {
        SpdyForward forward(server->port(), url());
        forward.open("0", "80");
        one = backend.next_peer();
        forward.open("1", "80");
        two = backend.next_peer();
        ASSERT_TRUE(one && two);
    }
    EXPECT_EQ(read_from(one.get()), "");
    EXPECT_EQ(read_from(two.get()), "");
}

TEST_F(PortForward, LargeTransfersArriveWhole) {
    std::string large;
    for (int i = 0; large.size() < 3'000'000; ++i) large += std::to_string(i) + "\n";
    SpdyForward forward(server->port(), url());
    const auto pair = forward.open("0", "80");
    UniqueFd pod = backend.next_peer();
    ASSERT_TRUE(pod);
    std::thread writes([&] { write_to(pod.get(), large); });
    EXPECT_TRUE(forward.client.until_data(pair.data, large));
    writes.join();
    std::thread sends([&] { forward.client.send(pair.data, large, true); });
    EXPECT_EQ(read_from(pod.get()), large);
    sends.join();
}

TEST_F(PortForward, OverWebSocketHasTwoChannelsAPort) {
    WebSocketClient client(server->port());
    ASSERT_EQ(client.upgrade(url() + "?port=80&port=8080", "v4.channel.k8s.io"), "v4.channel.k8s.io");
    // 80 and 8080, little endian.
    for (const int channel : {0, 1}) EXPECT_TRUE(client.until(channel, std::string("\x50\0", 2)));
    for (const int channel : {2, 3}) EXPECT_TRUE(client.until(channel, std::string("\x90\x1f", 2)));
    std::map<uint16_t, UniqueFd> pods;
    for (size_t i = 0; i < 2; ++i) {
        UniqueFd pod = backend.next_peer();
        ASSERT_TRUE(pod);
        pods[backend.dialled[i].second] = std::move(pod);
    }
    client.send(std::string("\2hello"));
    EXPECT_EQ(read_from(pods[8080].get(), 5), "hello");
    write_to(pods[80].get(), "answer");
    EXPECT_TRUE(client.until(0, std::string("\x50\0answer", 8)));
    pods.clear();
    EXPECT_TRUE(client.until_close());
}

TEST_F(PortForward, OverWebSocketInBase64IsText) {
    WebSocketClient client(server->port());
    ASSERT_EQ(client.upgrade(url() + "?port=80", "v4.base64.channel.k8s.io"), "v4.base64.channel.k8s.io");
    EXPECT_TRUE(client.until('0', "UAA="));
    const UniqueFd pod = backend.next_peer();
    ASSERT_TRUE(pod);
    client.socket.text(true);
    client.send("0aGk=");
    EXPECT_EQ(read_from(pod.get(), 2), "hi");
}

TEST_F(PortForward, OverWebSocketTellsOfAPortNobodyListensOn) {
    backend.on_dial = [](uint16_t) -> Result<UniqueFd> { return Error::failed("connection refused"); };
    WebSocketClient client(server->port());
    client.upgrade(url() + "?port=81", "v4.channel.k8s.io");
    EXPECT_TRUE(client.until_close());
    EXPECT_EQ(client.channels[1],
              std::string("\x51\0", 2) + "error forwarding port 81 to pod pod: connection refused");
}

TEST_F(PortForward, TunnelsSpdyThroughAWebSocket) {
    WebSocketClient client(server->port());
    const std::string protocol = "SPDY/3.1+portforward.k8s.io";
    ASSERT_EQ(client.upgrade(url(), protocol), protocol);
    spdy::Encoder encoder;
    const auto syn = [&](uint32_t stream, const char* type) {
        return encoder.encode(spdy::SynStream{
            .stream = stream, .headers = {{"streamtype", type}, {"port", "80"}, {"requestid", "0"}}});
    };
    // Frames and messages need not begin together.
    std::string bytes = syn(1, "error");
    bytes += syn(3, "data");
    bytes += encoder.encode(spdy::Data{3, true, "question"});
    client.send(bytes.substr(0, 5));
    client.send(bytes.substr(5));
    UniqueFd pod = backend.next_peer();
    ASSERT_TRUE(pod);
    EXPECT_EQ(read_from(pod.get()), "question");
    write_to(pod.get(), "answer");
    pod.reset();
    spdy::Decoder decoder;
    std::string answer;
    for (bool fin = false; !fin && client.receive();) {
        std::string_view rest = client.last;
        for (auto frame = decoder.next(rest); frame && *frame; frame = decoder.next(rest)) {
            const auto* data = std::get_if<spdy::Data>(&**frame);
            if (data == nullptr || data->stream != 3) continue;
            answer += data->bytes;
            fin = data->fin;
        }
    }
    EXPECT_EQ(answer, "answer");
}

}  // namespace
}  // namespace orlop::streaming
