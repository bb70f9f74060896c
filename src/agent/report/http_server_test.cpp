#include "agent/report/http_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/unique_fd.h"

namespace orlop::agent {
namespace {

class HttpServerTest : public testing::Test {
  protected:
    HttpServerTest() : path(testing::TempDir() + "orlop-http-" + std::to_string(getpid()) + ".sock") {}

    static HttpHandler echo() {
        return [](const std::string& wanted, const std::function<void(HttpAnswer)>& reply) {
            reply({200, "text/plain", "you asked for " + wanted});
        };
    }
    UniqueFd connect_to() const {
        UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd.reset();
        return fd;
    }
    std::string ask(const std::string& request) const {
        const UniqueFd fd = connect_to();
        if (!fd || !write_all(fd.get(), request)) return "no connection";
        return read_all(fd.get()).value_or("no answer");
    }

    std::string path;
};

TEST_F(HttpServerTest, AnswersGetByTheHandler) {
    HttpServer server;
    ASSERT_TRUE(server.listen_unix(path, echo()));
    server.start();
    const std::string answer = ask("GET /pods?x=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\nyou asked for /pods")) << answer;
    struct stat st {};
    ASSERT_EQ(stat(path.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600u);
}

TEST_F(HttpServerTest, RefusesWhatIsNotAGet) {
    HttpServer server;
    ASSERT_TRUE(server.listen_unix(path, echo()));
    server.start();
    EXPECT_TRUE(ask("POST /pods HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                    .starts_with("HTTP/1.1 405"));
    EXPECT_TRUE(
        ask("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello").starts_with("HTTP/1.1 413"));
    const std::string flood = ask("GET / HTTP/1.1\r\nX: " + std::string(20000, 'x') + "\r\n\r\n");
    EXPECT_FALSE(flood.starts_with("HTTP/1.1 200")) << flood;
}

TEST_F(HttpServerTest, ReplacesADeadSocketButNotALiveOne) {
    {
        HttpServer first;
        ASSERT_TRUE(first.listen_unix(path, echo()));
        HttpServer second;
        const auto taken = second.listen_unix(path, echo());
        ASSERT_FALSE(taken);
        EXPECT_EQ(taken.error().kind(), Kind::Exists);
        EXPECT_NE(taken.error().what().find("another agent runs"), std::string::npos);
    }
    // Left behind by a process that was killed.
    {
        const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
    HttpServer third;
    EXPECT_TRUE(third.listen_unix(path, echo()));
}

TEST_F(HttpServerTest, AUsedPortIsSaidToBeUsed) {
    HttpServer first;
    HttpServer second;
    uint16_t port = 39000;
    while (port < 39100 && !first.listen_tcp("127.0.0.1", port, echo())) ++port;
    const auto taken = second.listen_tcp("127.0.0.1", port, echo());
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().kind(), Kind::Exists);
}

}  // namespace
}  // namespace orlop::agent
