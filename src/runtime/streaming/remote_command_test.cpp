// Exec and attach with real connections on loopback; the test is the process and the client.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runtime/streaming/clients_for_test.h"
#include "runtime/streaming/server.h"

namespace orlop::streaming {
namespace {

const std::string kV4 = "v4.channel.k8s.io";

class RemoteCommand : public testing::Test {
  protected:
    void SetUp() override { serve({}); }
    void serve(ServerOptions options) {
        server.reset();
        auto started = Server::start(std::move(options), backend, clock);
        ASSERT_TRUE(started) << started.error().what();
        server = *std::move(started);
    }
    std::string exec_url(bool in, bool tty = false) {
        return *server->url(ExecRequest{
            .container = "c", .command = {"run"}, .tty = tty, .in = in, .out = true, .err = !tty});
    }

    FakeBackend backend;
    SystemClock clock;
    std::unique_ptr<Server> server;
};

// A client with all streams of an exec open and replied to.
struct SpdyExec {
    SpdyExec(uint16_t port, const std::string& url, const std::string& protocol, bool in, bool tty = false)
        : client(port), head(client.upgrade(url, protocol)) {
        error = client.open("error");
        if (in) input = client.open("stdin");
        output = client.open("stdout");
        if (!tty) errors = client.open("stderr");
        if (tty) resize = client.open("resize");
    }
    SpdyClient client;
    std::string head;
    uint32_t error = 0, input = 0, output = 0, errors = 0, resize = 0;
};

TEST_F(RemoteCommand, OverSpdyMovesBytesAndReportsTheExitCode) {
    SpdyExec exec(server->port(), exec_url(true), kV4, true);
    EXPECT_NE(exec.head.find("101 Switching Protocols"), std::string::npos) << exec.head;
    EXPECT_NE(exec.head.find("X-Stream-Protocol-Version: " + kV4), std::string::npos) << exec.head;
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    EXPECT_EQ(backend.last_exec.command, std::vector<std::string>{"run"});
    exec.client.send(exec.input, "question");
    EXPECT_EQ(read_from(process->in.get(), 8), "question");
    write_to(process->out.get(), "answer");
    write_to(process->err.get(), "warning");
    EXPECT_TRUE(exec.client.until_data(exec.output, "answer"));
    EXPECT_TRUE(exec.client.until_data(exec.errors, "warning"));
    exec.client.send(exec.input, "", true);
    EXPECT_EQ(read_from(process->in.get()), "");
    process->exit(std::optional(3));
    for (const uint32_t stream : {exec.output, exec.errors, exec.error, exec.input})
        EXPECT_TRUE(exec.client.until_fin(stream)) << stream;
    const auto status = nlohmann::json::parse(exec.client.streams[exec.error].data);
    EXPECT_EQ(status["status"], "Failure");
    EXPECT_EQ(status["reason"], "NonZeroExitCode");
    EXPECT_EQ(status["details"]["causes"][0]["reason"], "ExitCode");
    EXPECT_EQ(status["details"]["causes"][0]["message"], "3");
    EXPECT_TRUE(process->wait_for_hang_up());
}

TEST_F(RemoteCommand, OverWebSocketV5ClosesTheInputByMessage) {
    WebSocketClient client(server->port());
    ASSERT_EQ(client.upgrade(exec_url(true), "v5.channel.k8s.io"), "v5.channel.k8s.io");
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    client.send(std::string("\0question", 9));
    EXPECT_EQ(read_from(process->in.get(), 8), "question");
    client.send(std::string("\xff\0", 2));
    EXPECT_EQ(read_from(process->in.get()), "");
    write_to(process->out.get(), "answer");
    EXPECT_TRUE(client.until(1, "answer"));
    write_to(process->err.get(), "warning");
    EXPECT_TRUE(client.until(2, "warning"));
    process->exit(std::optional(0));
    EXPECT_TRUE(client.until_close());
    EXPECT_EQ(nlohmann::json::parse(client.channels[3])["status"], "Success");
    EXPECT_TRUE(process->wait_for_hang_up());
}

}  // namespace
}  // namespace orlop::streaming
