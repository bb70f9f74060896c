// Exec and attach with real connections on loopback; the test is the process and the client.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "runtime/streaming/clients_for_test.h"
#include "runtime/streaming/server.h"

namespace orlop::streaming {
namespace {

const std::string kV4 = "v4.channel.k8s.io";

class RemoteCommand : public testing::Test {
  protected:
    void SetUp() override {
        for (int fd = 0; fd < 256; ++fd)
            if (fcntl(fd, F_GETFD) >= 0) inherited.insert(fd);
        serve({});
    }
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

    std::set<int> inherited;
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

TEST_F(RemoteCommand, OldProtocolsReportFailuresAsText) {
    for (const char* protocol : {"channel.k8s.io", "v2.channel.k8s.io", "v3.channel.k8s.io"}) {
        SpdyExec exec(server->port(), exec_url(false), protocol, false);
        EXPECT_NE(exec.head.find(std::string("X-Stream-Protocol-Version: ") + protocol), std::string::npos);
        const auto process = backend.next_process();
        ASSERT_TRUE(process) << protocol;
        process->exit(std::optional(3));
        EXPECT_TRUE(exec.client.until_fin(exec.error)) << protocol;
        EXPECT_EQ(exec.client.streams[exec.error].data, "command terminated with non-zero exit code: 3");
    }
}

TEST_F(RemoteCommand, OnATerminalIsResized) {
    SpdyExec exec(server->port(), exec_url(true, true), kV4, true, true);
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    exec.client.send(exec.resize, R"({"Width":132,"Hei)");
    exec.client.send(exec.resize, "ght\":43}\n");
    EXPECT_EQ(process->wait_for_size(), std::pair(132, 43));
    process->exit(std::optional(0));
    EXPECT_TRUE(exec.client.until_fin(exec.error));
}

TEST_F(RemoteCommand, ASizeFromBeforeTheProcessIsNotLost) {
    std::promise<void> go;
    backend.before_exec = [&go]() -> Status {
        go.get_future().wait();
        return ok();
    };
    SpdyExec exec(server->port(), exec_url(true, true), kV4, true, true);
    exec.client.send(exec.resize, R"({"Width":80,"Height":24})");
    exec.client.send(exec.input, "typed ahead", true);
    exec.client.send(spdy::Ping{1});
    ASSERT_TRUE(exec.client.until([&] { return !exec.client.others.empty(); }));
    go.set_value();
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    EXPECT_EQ(process->wait_for_size(), std::pair(80, 24));
    EXPECT_EQ(read_from(process->in.get()), "typed ahead");
    process->exit(std::optional(0));
    EXPECT_TRUE(exec.client.until_fin(exec.error));
}

TEST_F(RemoteCommand, StreamsThatWereNotAskedForAreRefused) {
    SpdyClient client(server->port());
    client.upgrade(exec_url(false), kV4);
    const uint32_t error = client.open("error");
    for (const auto& headers :
         {spdy::Headers{{"streamtype", "stdin"}}, spdy::Headers{{"streamtype", "error"}},
          spdy::Headers{{"streamtype", "resize"}}, spdy::Headers{{"streamtype", "x"}}, spdy::Headers{}}) {
        const uint32_t stream = client.open(headers);
        EXPECT_TRUE(client.until([&] { return client.streams[stream].reset; }));
    }
    EXPECT_TRUE(client.streams[error].replied);
    EXPECT_FALSE(client.streams[error].reset);
}

TEST_F(RemoteCommand, AFailureToStartIsToldToTheClient) {
    backend.before_exec = []() -> Status { return Error::not_found("no container c"); };
    SpdyExec exec(server->port(), exec_url(true), kV4, true);
    EXPECT_TRUE(exec.client.until_fin(exec.error));
    const auto status = nlohmann::json::parse(exec.client.streams[exec.error].data);
    EXPECT_EQ(status["reason"], "InternalError");
    EXPECT_NE(status["message"].get<std::string>().find("no container c"), std::string::npos);

    WebSocketClient socket(server->port());
    ASSERT_EQ(socket.upgrade(exec_url(true), kV4), kV4);
    EXPECT_TRUE(socket.until_close());
    EXPECT_EQ(nlohmann::json::parse(socket.channels[3])["reason"], "InternalError");
}

TEST_F(RemoteCommand, AnExitCodeNobodyKnowsIsAFailure) {
    SpdyExec exec(server->port(), exec_url(false), kV4, false);
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    process->exit(Error::unavailable("the shim is gone"));
    EXPECT_TRUE(exec.client.until_fin(exec.error));
    EXPECT_NE(exec.client.streams[exec.error].data.find("the shim is gone"), std::string::npos);
}

TEST_F(RemoteCommand, EndsThoughSomethingHoldsItsOutput) {
    SpdyExec exec(server->port(), exec_url(false), kV4, false);
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    write_to(process->out.get(), "last words");
    process->leave_open_and_exit(std::optional(0));
    EXPECT_TRUE(exec.client.until_fin(exec.error));
    EXPECT_EQ(exec.client.streams[exec.output].data, "last words");
}

TEST_F(RemoteCommand, AttachMovesBytesAndSucceedsWhenTheContainerEnds) {
    const auto url = server->url(AttachRequest{.container = "c", .in = true, .out = true, .err = true});
    ASSERT_TRUE(url);
    SpdyExec attach(server->port(), *url, kV4, true);
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    attach.client.send(attach.input, "in");
    EXPECT_EQ(read_from(process->in.get(), 2), "in");
    write_to(process->out.get(), "out");
    EXPECT_TRUE(attach.client.until_data(attach.output, "out"));
    process->exit(std::nullopt);
    EXPECT_TRUE(attach.client.until_fin(attach.error));
    EXPECT_EQ(nlohmann::json::parse(attach.client.streams[attach.error].data)["status"], "Success");
}

TEST_F(RemoteCommand, IsHungUpOnWhenTheClientLeaves) {
    for (const bool websocket : {false, true}) {
        std::shared_ptr<FakeProcess> process;
        if (websocket) {
            WebSocketClient client(server->port());
            client.upgrade(exec_url(true), "v5.channel.k8s.io");
            process = backend.next_process();
        } else {
            SpdyExec exec(server->port(), exec_url(true), kV4, true);
            process = backend.next_process();
        }
        ASSERT_TRUE(process);
        EXPECT_TRUE(process->wait_for_hang_up()) << websocket;
        EXPECT_EQ(read_from(process->in.get()), "");
    }
}

// The client's end waits behind input that nobody reads.
TEST_F(RemoteCommand, IsHungUpOnWhenTheClientLeavesBehindUnreadInput) {
    std::shared_ptr<FakeProcess> process;
    {
        SpdyExec exec(server->port(), exec_url(true), kV4, true);
        process = backend.next_process();
        ASSERT_TRUE(process);
        // Everything is read, so that closing sends no reset.
        ASSERT_TRUE(exec.client.until([&] { return exec.client.streams.size() == 4; }));
        const std::string part =
            exec.client.encoder.encode(spdy::Data{exec.input, false, std::string(65536, 'x')});
        const int socket = exec.client.socket.socket.native_handle();
        for (pollfd one{.fd = socket, .events = POLLOUT, .revents = 0}; poll(&one, 1, 500) > 0;)
            ::send(socket, part.data(), part.size(), MSG_DONTWAIT);
    }
    EXPECT_TRUE(process->wait_for_hang_up());
}

TEST_F(RemoteCommand, IsHungUpOnWhenTheClientLeftBeforeItStarted) {
    std::promise<void> called, go;
    backend.before_exec = [&]() -> Status {
        called.set_value();
        go.get_future().wait();
        return ok();
    };
    {
        SpdyExec exec(server->port(), exec_url(true), kV4, true);
        called.get_future().wait();
    }
    go.set_value();
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    EXPECT_TRUE(process->wait_for_hang_up());
}

TEST_F(RemoteCommand, IsHungUpOnWhenTheServerStops) {
    SpdyExec exec(server->port(), exec_url(true), kV4, true);
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    server.reset();
    EXPECT_TRUE(process->is_hung_up());
    EXPECT_TRUE(exec.client.until_end());
}

// What a process can write while its client does not read, and the other way round.
size_t fill(const std::function<bool(std::string_view)>& write, size_t limit) {
    const std::string part(65536, 'x');
    size_t size = 0;
    while (size < limit && write(part)) size += part.size();
    return size;
}

TEST_F(RemoteCommand, ASlowClientStopsTheProcess) {
    constexpr size_t kMost = 64u << 20;
    SpdyExec exec(server->port(), exec_url(false), kV4, false);
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    const size_t size = fill(
        [&](std::string_view part) {
            pollfd one{.fd = process->out.get(), .events = POLLOUT, .revents = 0};
            return poll(&one, 1, 500) > 0 && (write(one.fd, part.data(), part.size()), true);
        },
        kMost);
    EXPECT_LT(size, kMost);
    process->exit(std::optional(0));
    EXPECT_TRUE(exec.client.until_fin(exec.error));
    EXPECT_GT(exec.client.streams[exec.output].data.size(), 0u);
}

TEST_F(RemoteCommand, ASlowProcessStopsTheClient) {
    constexpr size_t kMost = 64u << 20;
    SpdyExec exec(server->port(), exec_url(true), kV4, true);
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    const int socket = exec.client.socket.socket.native_handle();
    const std::string part =
        exec.client.encoder.encode(spdy::Data{exec.input, false, std::string(65536, 'x')});
    const size_t size = fill(
        [&](std::string_view) {
            pollfd one{.fd = socket, .events = POLLOUT, .revents = 0};
            return poll(&one, 1, 500) > 0 && ::send(socket, part.data(), part.size(), MSG_DONTWAIT) > 0;
        },
        kMost);
    EXPECT_LT(size, kMost);
}

TEST_F(RemoteCommand, AClientsWindowsAreKept) {
    SpdyExec exec(server->port(), exec_url(false), kV4, false);
    exec.client.send(spdy::Settings{.clear = false, .values = {{0, spdy::kInitialWindowSize, 10}}});
    exec.client.send(spdy::Ping{1});
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    ASSERT_TRUE(exec.client.until([&] { return !exec.client.others.empty(); }));
    write_to(process->out.get(), "0123456789abcdef");
    EXPECT_TRUE(exec.client.until_data(exec.output, "0123456789"));
    exec.client.send(spdy::Ping{3});
    ASSERT_TRUE(exec.client.until([&] { return exec.client.others.size() > 1; }));
    EXPECT_EQ(exec.client.streams[exec.output].data, "0123456789");
    exec.client.send(spdy::WindowUpdate{exec.output, 100});
    EXPECT_TRUE(exec.client.until_data(exec.output, "0123456789abcdef"));
}

TEST_F(RemoteCommand, LargeOutputAndInputArriveWhole) {
    std::string large;
    for (int i = 0; large.size() < 5'000'000; ++i) large += std::to_string(i) + "\n";
    SpdyExec exec(server->port(), exec_url(true), kV4, true);
    WebSocketClient socket(server->port());
    auto process = backend.next_process();
    ASSERT_TRUE(process);
    std::thread writes([&] { write_to(process->out.get(), large); });
    EXPECT_TRUE(exec.client.until_data(exec.output, large));
    writes.join();
    std::thread sends([&] { exec.client.send(exec.input, large, true); });
    EXPECT_EQ(read_from(process->in.get()), large);
    sends.join();

    socket.upgrade(exec_url(true), "v5.channel.k8s.io");
    process = backend.next_process();
    ASSERT_TRUE(process);
    std::thread writes_too([&] { write_to(process->out.get(), large); });
    EXPECT_TRUE(socket.until(1, large));
    writes_too.join();
    std::thread sends_too([&] {
        socket.send(std::string(1, '\0') + large);
        socket.send(std::string("\xff\0", 2));
    });
    EXPECT_EQ(read_from(process->in.get()), large);
    sends_too.join();
}

TEST_F(RemoteCommand, OverWebSocketInBase64IsText) {
    for (const char* protocol : {"v4.base64.channel.k8s.io", "base64.channel.k8s.io"}) {
        WebSocketClient client(server->port());
        ASSERT_EQ(client.upgrade(exec_url(true), protocol), protocol);
        const auto process = backend.next_process();
        ASSERT_TRUE(process);
        client.socket.text(true);
        client.send("0Zm9vCg==");
        EXPECT_EQ(read_from(process->in.get(), 4), "foo\n");
        write_to(process->out.get(), "bar");
        EXPECT_TRUE(client.until('1', "YmFy"));
        EXPECT_TRUE(client.last_was_text);
        process->exit(std::optional(0));
        EXPECT_TRUE(client.until_close());
        EXPECT_EQ(client.channels.count('3'), protocol[0] == 'v' ? 1u : 0u);
    }
}

TEST_F(RemoteCommand, OverWebSocketWithBrokenBase64IsHungUpOn) {
    WebSocketClient client(server->port());
    client.upgrade(exec_url(true), "v4.base64.channel.k8s.io");
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    client.send("0Zm9");
    EXPECT_TRUE(process->wait_for_hang_up());
}

TEST_F(RemoteCommand, OverWebSocketTheConnectionBeginsWithAnEmptyMessage) {
    WebSocketClient client(server->port());
    ASSERT_EQ(client.upgrade(exec_url(false), ""), "");
    ASSERT_TRUE(client.receive());
    EXPECT_EQ(client.last, std::string(1, '\1'));
}

TEST_F(RemoteCommand, OverWebSocketIgnoresChannelsThatAreNone) {
    WebSocketClient client(server->port());
    client.upgrade(exec_url(true), "v5.channel.k8s.io");
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    for (const auto& message : {std::string("\7what"), std::string("\1what"), std::string(),
                                std::string("\xff"), std::string("\xff\x09"), std::string("\0in", 3)})
        client.send(message);
    EXPECT_EQ(read_from(process->in.get(), 2), "in");
}

TEST_F(RemoteCommand, WithoutItsStreamsIsLeftInTime) {
    ServerOptions options;
    options.creation_timeout = std::chrono::milliseconds(50);
    serve(options);
    SpdyClient client(server->port());
    client.upgrade(exec_url(true), kV4);
    client.open("error");
    EXPECT_TRUE(client.until_end());
}

TEST_F(RemoteCommand, IdleForTooLongIsHungUpOn) {
    ServerOptions options;
    options.idle_timeout = std::chrono::milliseconds(200);
    serve(options);
    SpdyExec exec(server->port(), exec_url(true), kV4, true);
    WebSocketClient socket(server->port());
    socket.upgrade(exec_url(true), kV4);
    for (int i = 0; i < 2; ++i) {
        const auto process = backend.next_process();
        ASSERT_TRUE(process);
        EXPECT_TRUE(process->wait_for_hang_up());
    }
    EXPECT_TRUE(exec.client.until_end());
}

TEST_F(RemoteCommand, AProtocolErrorOfTheClientIsHungUpOn) {
    SpdyExec exec(server->port(), exec_url(true), kV4, true);
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    exec.client.socket.send(std::string("\x80\x02\0\6\0\0\0\4\0\0\0\1", 12));  // SPDY/2
    EXPECT_TRUE(process->wait_for_hang_up());
}

// CVE-2024-21626: what a daemon leaves open for its children reaches containers.
TEST_F(RemoteCommand, OpensNothingThatOtherProcessesInherit) {
    SpdyExec exec(server->port(), exec_url(true), kV4, true);
    const auto process = backend.next_process();
    ASSERT_TRUE(process);
    write_to(process->out.get(), "running");
    EXPECT_TRUE(exec.client.until_data(exec.output, "running"));
    const int ours = exec.client.socket.socket.native_handle();
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        const int fd = std::stoi(entry.path().filename());
        const int flags = fcntl(fd, F_GETFD);
        if (fd <= STDERR_FILENO || fd == ours || flags < 0 || inherited.count(fd) != 0) continue;
        EXPECT_TRUE(flags & FD_CLOEXEC) << fd << " " << std::filesystem::read_symlink(entry.path());
    }
}

// CVE-2022-23471: what a terminal session leaves behind adds up.
TEST_F(RemoteCommand, ManyTimesOnATerminalLeavesNothingBehind) {
    const auto open_files = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                             std::filesystem::directory_iterator());
    };
    std::ptrdiff_t before = 0;
    for (int i = 0; i < 300; ++i) {
        if (i == 10) before = open_files();
        const bool leaves = i % 3 == 0;
        SpdyExec exec(server->port(), exec_url(true, true), kV4, true, true);
        const auto process = backend.next_process();
        ASSERT_TRUE(process);
        exec.client.send(exec.resize, R"({"Width":80,"Height":24})");
        if (leaves) continue;
        process->exit(std::optional(0));
        EXPECT_TRUE(exec.client.until_fin(exec.error));
    }
    // The last ones may still be on their way out.
    std::ptrdiff_t after = open_files();
    for (int i = 0; i < 200 && after > before; ++i) {
        SpdyClient(server->port()).upgrade("http://node/exec/none", kV4);
        after = open_files();
    }
    EXPECT_LE(after, before + 8);
}

}  // namespace
}  // namespace orlop::streaming
