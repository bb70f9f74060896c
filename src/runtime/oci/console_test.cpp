#include "runtime/oci/console.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/unique_fd.h"

namespace orlop::oci {
namespace {

TEST(CheckConsole, WantsASocketForATerminalThatNobodyHereProxies) {
    const struct {
        const char* name;
        bool terminal, detached;
        const char* socket;
        bool good;
    } rows[] = {{"plain in the foreground", false, false, "", true},
                {"plain and detached", false, true, "", true},
                {"terminal in the foreground", true, false, "", true},
                {"terminal and detached", true, true, "/s", true},
                {"nobody would get the terminal", true, true, "", false},
                {"no terminal to send", false, true, "/s", false},
                {"the terminal is ours", true, false, "/s", false}};
    for (const auto& row : rows) {
        EXPECT_EQ(check_console(row.terminal, row.detached, row.socket).ok(), row.good) << row.name;
    }
}

TEST(SendTerminal, PassesTheDescriptorAndAName) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = "/tmp/orlop-console-test-" + std::to_string(getpid());
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(listener.get(), 1), 0);
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd read_end(ends[0]);
    const UniqueFd write_end(ends[1]);
    const auto sent = send_terminal(path, read_end.get());
    unlink(path.c_str());
    ASSERT_TRUE(sent) << sent.error().what();

    const UniqueFd peer(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    char name[64];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    iovec data{name, sizeof name};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t n = recvmsg(peer.get(), &message, MSG_CMSG_CLOEXEC);
    ASSERT_GT(n, 0);
    EXPECT_EQ(std::string(name, static_cast<size_t>(n)), "/dev/ptmx");
    ASSERT_NE(CMSG_FIRSTHDR(&message), nullptr);
    int got = -1;
    std::memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
    const UniqueFd received(got);
    struct stat ours {};
    struct stat theirs {};
    ASSERT_EQ(fstat(read_end.get(), &ours), 0);
    ASSERT_EQ(fstat(received.get(), &theirs), 0);
    EXPECT_EQ(ours.st_ino, theirs.st_ino);
}

TEST(SendTerminal, NamesTheSocketThatIsNotThere) {
    const auto sent = send_terminal("/no/such/socket", 0);
    ASSERT_FALSE(sent);
    EXPECT_NE(sent.error().what().find("/no/such/socket"), std::string::npos);
    EXPECT_FALSE(send_terminal("/" + std::string(200, 'x'), 0));
}

}  // namespace
}  // namespace orlop::oci
