// exec, attach and port-forward through the streaming server, by both of crictl's transports.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>

#include <thread>

#include "base/dir.h"
#include "harness/dialog.h"
#include "harness/node_test.h"

namespace orlop::it {
namespace {

using ::testing::HasSubstr;

class Streaming : public NodeTest, public ::testing::WithParamInterface<const char*> {
  protected:
    void SetUp() override {
        if (place().reference && std::string(GetParam()) == "websocket")
            GTEST_SKIP() << "SKIPPED: containerd 1.6 speaks no WebSocket";
        NodeTest::SetUp();
    }
    // crictl VERB -r TRANSPORT ARGS...
    std::vector<std::string> command(const std::string& verb, const std::vector<std::string>& args) {
        std::vector<std::string> all = {verb, "-r", GetParam()};
        all.insert(all.end(), args.begin(), args.end());
        return crictl().argv(all, scaled(60));
    }
    Dialog exec(const std::vector<std::string>& args, Dialog::On on = Dialog::On::Pipes) {
        return Dialog(command("exec", args), on);
    }
    // A container whose stdin stays open.
    Launched launch_with_stdin(const std::string& name, const std::string& script, bool once, bool tty) {
        const Json pod = pod_config(node(), name);
        Launched made;
        made.pod = crictl().runp(pod);
        Json container = shell_config(name, script);
        container["stdin"] = true;
        container["stdin_once"] = once;
        container["tty"] = tty;
        made.container = crictl().launch(made.pod, container, pod);
        return made;
    }
};

INSTANTIATE_TEST_SUITE_P(, Streaming, ::testing::Values("spdy", "websocket"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_P(Streaming, ExecHasItsOutputsApartAndItsCode) {
    const Launched c = launch("exec", kSleepUntilStopped);
    Dialog dialog = exec({c.container, "sh", "-c", "echo to out; echo to err >&2; exit 7"});
    EXPECT_NE(dialog.finish(), 0);
    EXPECT_EQ(dialog.out, "to out\n");
    EXPECT_THAT(dialog.err, HasSubstr("to err\n"));
    EXPECT_THAT(dialog.err, HasSubstr("exit code 7"));
}

TEST_P(Streaming, ExecPassesInputToItsEnd) {
    const Launched c = launch("input", kSleepUntilStopped);
    Dialog dialog = exec({"-i", c.container, "sh", "-c", "wc -c; echo end"});
    dialog.say("12345");
    dialog.end_input();
    EXPECT_EQ(dialog.finish(), 0) << dialog.err;
    EXPECT_EQ(dialog.out, "5\nend\n");
}

TEST_P(Streaming, MegabytesComeBackAsTheyWent) {
    const Launched c = launch("megabytes", kSleepUntilStopped);
    Dialog dialog =
        exec({c.container, "sh", "-c", "head -c 30000000 /dev/urandom | tee /tmp/all; md5sum /tmp/all >&2"});
    EXPECT_EQ(dialog.finish(), 0) << dialog.err;
    EXPECT_EQ(dialog.out.size(), 30'000'000u);
    Dialog back = exec({"-i", c.container, "sh", "-c", "cmp - /tmp/all && echo same"});
    std::thread writer([&] {
        back.say(dialog.out);
        back.end_input();
    });
    EXPECT_EQ(back.finish(), 0) << back.err;
    writer.join();
    EXPECT_EQ(back.out, "same\n");
}

TEST_P(Streaming, ExecOnATerminalHasItsSizeAndItsSignals) {
    const Launched c = launch("terminal", kSleepUntilStopped);
    Dialog dialog = exec(
        {"-it", c.container, "sh", "-c",
         "trap 'stty size' WINCH; tty; echo ready; while ! read line; do :; done; echo got $line; exit 3"},
        Dialog::On::Terminal);
    dialog.hear("ready");
    EXPECT_THAT(dialog.out, HasSubstr("/dev/pts/"));
    dialog.resize(31, 97);
    dialog.hear("31 97");
    dialog.say("typed\r");
    dialog.hear("got typed");
    EXPECT_NE(dialog.finish(), 0);
    EXPECT_THAT(dialog.out, HasSubstr("exit code 3"));
}

TEST_P(Streaming, AClientThatGoesAwayTakesItsCommandAlong) {
    const Launched c = launch("gone", kSleepUntilStopped);
    Dialog dialog =
        exec({"-i", c.container, "sh", "-c", "echo $$ >/tmp/pid; sleep 1000 & echo started; wait"});
    dialog.hear("started");
    dialog.signal(SIGKILL);
    EXPECT_TRUE(eventually(scaled(20), [&] {
        return crictl()
                   .must(
                       {"exec", "-s", c.container, "sh", "-c", "test -d /proc/$(cat /tmp/pid) || echo gone"})
                   .find("gone") == 0;
    }));
}

TEST_P(Streaming, AnExecThatCannotStartSaysWhy) {
    const Launched c = launch("missing", kSleepUntilStopped);
    Dialog dialog = exec({c.container, "no-such-program"});
    EXPECT_NE(dialog.finish(), 0);
    EXPECT_THAT(dialog.err, HasSubstr("no-such-program"));
    EXPECT_THAT(dialog.err, HasSubstr("not found"));
}

TEST_P(Streaming, AttachSeesWhatComesAndFeedsStdin) {
    const Launched c =
        launch_with_stdin("attach", "read a; echo out $a; echo err $a >&2; read b; exit 0", false, false);
    Dialog dialog(command("attach", {"-i", c.container}));
    dialog.say("hello\n");
    EXPECT_THAT(dialog.hear("out hello\n"), HasSubstr("out hello"));
    dialog.hear_error("err hello\n");
    // The log has it as well.
    EXPECT_TRUE(eventually(
        scaled(10), [&] { return log_of("attach", "attach").find("out hello") != std::string::npos; }));
    dialog.say("bye\n");
    EXPECT_EQ(dialog.finish(), 0) << dialog.err;
    crictl().wait_exit(c.container);
}

TEST_P(Streaming, StdinOnceEndsWithTheFirstClient) {
    const Launched c = launch_with_stdin("once", "cat; echo at the end", true, false);
    Dialog dialog(command("attach", {"-i", c.container}));
    dialog.say("some\n");
    dialog.end_input();
    EXPECT_EQ(dialog.finish(), 0) << dialog.err;
    EXPECT_EQ(dialog.out, "some\nat the end\n");
    EXPECT_EQ(crictl().wait_exit(c.container)["exitCode"], 0);
}

TEST_P(Streaming, AttachToATerminal) {
    const Launched c = launch_with_stdin(
        "tty", "trap 'stty size' WINCH; while ! read line; do :; done; echo got $line; exit 0", false, true);
    Dialog dialog(command("attach", {"-it", c.container}), Dialog::On::Terminal);
    dialog.resize(20, 70);
    dialog.hear("20 70");
    dialog.say("this\r");
    dialog.hear("got this");
    EXPECT_EQ(dialog.finish(), 0);
    crictl().wait_exit(c.container);
}

// Connects to a port of this machine; sends, ends its side, and reads to the end.
std::string converse(uint16_t port, const std::string& text) {
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return "no connection";
    if (!write_all(fd.get(), text) || shutdown(fd.get(), SHUT_WR) != 0) return "no sending";
    return read_all(fd.get()).value_or("no end");
}

uint16_t free_port() {
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    return ntohs(address.sin_port);
}

TEST_P(Streaming, PortsOfThePodAnswerThroughLocalhost) {
    // Reads to the end before it answers: the half-close has to come through.
    const Launched c = launch("ports", "nc -ll -p 8080 -e sh -c 'echo got $(wc -c)'");
    const uint16_t port = free_port();
    Dialog dialog(command("port-forward", {c.pod, std::to_string(port) + ":8080"}));
    dialog.hear("Forwarding from 127.0.0.1:");
    EXPECT_TRUE(eventually(scaled(10), [&] { return converse(port, "12345") == "got 5\n"; }));
    const std::string much(3'000'000, 'x');
    EXPECT_EQ(converse(port, much), "got 3000000\n");
    dialog.signal(SIGINT);
    dialog.finish();
}

TEST_P(Streaming, WhatIsNotThereIsSaid) {
    const Json pod = pod_config(node(), "none");
    const std::string id = crictl().runp(pod);
    const std::string created = crictl().create(id, shell_config("none", "true"), pod);
    Dialog not_running = exec({created, "true"});
    EXPECT_NE(not_running.finish(), 0);
    EXPECT_THAT(not_running.err, HasSubstr("not run"));
    Dialog unknown = exec({"0123456789", "true"});
    EXPECT_NE(unknown.finish(), 0);
    EXPECT_THAT(unknown.err, HasSubstr("NotFound"));
}

}  // namespace
}  // namespace orlop::it
