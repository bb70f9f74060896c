// process.terminal with --console-socket: the master comes to the caller.
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/dir.h"
#include "oci/harness/oci_test.h"
#include "oci/harness/unix_listener.h"

namespace orlop::it {
namespace {

class Terminals : public OciTest {
  protected:
    static std::string socket_path() {
        static int number = 0;
        return state_dir() + "/console" + std::to_string(++number);
    }
};

TEST_F(Terminals, TheMasterComesThroughTheSocketAndHasTheSize) {
    const Bundle b = bundle();
    const std::string path = socket_path();
    UnixListener listener(path);
    Json spec = shell_spec(
        "tty; stty size; stat -c %t:%T /dev/console /proc/self/fd/0 -L; echo in: $(head -n1); exit 4");
    spec["process"]["terminal"] = true;
    spec["process"]["consoleSize"] = {{"height", 33}, {"width", 99}};
    const Reply created = create(b, spec, {"--console-socket", path});
    ASSERT_EQ(created.code, 0) << created.err;
    auto message = listener.receive();
    ASSERT_TRUE(message) << message.error().what();
    ASSERT_EQ(message->fds.size(), 1u);
    const int master = message->fds[0].get();
    ASSERT_EQ(isatty(master), 1);
    ASSERT_EQ(oci({"start", b.id}).code, 0);
    ASSERT_TRUE(write_all(master, "typed\n"));
    const std::string seen = read_until(master, "in: typed");
    EXPECT_NE(seen.find("/dev/pts/0"), std::string::npos) << seen;
    EXPECT_NE(seen.find("33 99"), std::string::npos) << seen;
    EXPECT_NE(seen.find("88:0\r\n88:0"), std::string::npos) << seen;
    EXPECT_NE(seen.find("in: typed"), std::string::npos) << seen;
    EXPECT_TRUE(becomes(b, "stopped"));
}

TEST_F(Terminals, ASizeThatIsSetLaterArrives) {
    const Bundle b = bundle();
    const std::string path = socket_path();
    UnixListener listener(path);
    Json spec = shell_spec("trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done");
    spec["process"]["terminal"] = true;
    ASSERT_EQ(create(b, spec, {"--console-socket", path}).code, 0);
    auto message = listener.receive();
    ASSERT_TRUE(message && message->fds.size() == 1);
    const int master = message->fds[0].get();
    ASSERT_EQ(oci({"start", b.id}).code, 0);
    read_until(master, "ready");
    const struct winsize size = {.ws_row = 12, .ws_col = 34, .ws_xpixel = 0, .ws_ypixel = 0};
    ASSERT_EQ(ioctl(master, TIOCSWINSZ, &size), 0);
    EXPECT_NE(read_until(master, "12 34").find("12 34"), std::string::npos);
}

TEST_F(Terminals, ItIsTheControllingTerminal) {
    const Bundle b = bundle();
    const std::string path = socket_path();
    UnixListener listener(path);
    Json spec = shell_spec("trap 'echo interrupted; exit 0' INT; echo ready; while :; do sleep 0.05; done");
    spec["process"]["terminal"] = true;
    ASSERT_EQ(create(b, spec, {"--console-socket", path}).code, 0);
    auto message = listener.receive();
    ASSERT_TRUE(message && message->fds.size() == 1);
    const int master = message->fds[0].get();
    ASSERT_EQ(oci({"start", b.id}).code, 0);
    read_until(master, "ready");
    ASSERT_TRUE(write_all(master, "\x03"));
    EXPECT_NE(read_until(master, "interrupted").find("interrupted"), std::string::npos);
}

TEST_F(Terminals, ExecGetsOneOfItsOwn) {
    const Bundle b = launch(sleeper_spec());
    const std::string path = socket_path();
    UnixListener listener(path);
    const Reply reply = runtime().call_logged(
        {"exec", "--tty", "--detach", "--pid-file", b.file("exec-pid"), "--console-socket", path, b.id,
         "/bin/sh", "-c", "tty; sleep 0.01; echo end; read x"},
        b.log());
    ASSERT_EQ(reply.code, 0) << reply.err;
    auto message = listener.receive();
    ASSERT_TRUE(message && message->fds.size() == 1);
    EXPECT_NE(read_until(message->fds[0].get(), "end").find("/dev/pts/0"), std::string::npos);
    ASSERT_TRUE(write_all(message->fds[0].get(), "\n"));
    // An orphan is ours to reap, and its pid namespace does not end before that.
    const pid_t orphan = std::stoi(*read_file(b.file("exec-pid")));
    EXPECT_EQ(waitpid(orphan, nullptr, 0), orphan);
}

TEST_F(Terminals, ASocketThatIsNotThereIsRefused) {
    const Bundle b = bundle();
    Json spec = shell_spec("true");
    spec["process"]["terminal"] = true;
    EXPECT_NE(create(b, spec, {"--console-socket", "/no/such/socket"}).code, 0);
    expect_nothing_left(b);
    EXPECT_NE(create(b, spec).code, 0) << "a terminal, detached, and nobody to take it";
    expect_nothing_left(b);
}

}  // namespace
}  // namespace orlop::it
