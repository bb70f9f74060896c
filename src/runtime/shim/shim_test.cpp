// The real shim, the real kernel: a pod of busybox, driven over its socket as the daemon does.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <thread>

#include "base/dir.h"
#include "base/spawn.h"
#include "base/strong.h"
#include "runtime/launch/plan.h"
#include "runtime/shim/protocol/protocol.h"

namespace orlop::shim {
namespace {

namespace fs = std::filesystem;
using launch::ExecPlan;
using launch::LaunchPlan;
using launch::NsFrom;
using launch::PausePlan;

constexpr int kPatience = 8000;  // ms; only a failure waits this long

class ShimTest : public testing::Test {
  protected:
    void SetUp() override {
#ifdef __SANITIZE_THREAD__
        // The sanitizer starts a thread of its own, whose locks a child of a raw clone3(2) may find taken for
        // ever.
        GTEST_SKIP() << "needs a shim without ThreadSanitizer's own thread";
#endif
        if (geteuid() != 0) GTEST_SKIP() << "needs root";
        if (!fs::exists("/bin/busybox")) GTEST_SKIP() << "needs busybox-static";
        std::string path = "/var/tmp/orlop-shim-XXXXXX";
        ASSERT_NE(mkdtemp(path.data()), nullptr);
        base_ = path;
        make_layer();
        const auto r =
            run_command({.argv = {ORLOP_SHIM, "--dir", base_ + "/shim", "--id", id_}, .env = {}, .fds = {}},
                        "", Millis(kPatience));
        ASSERT_TRUE(r) << r.error().what();
        ASSERT_EQ(r->exit_code(), 0) << r->err;
        connect_daemon();
        create_sandbox();
    }

    void TearDown() override {
        if (!daemon_) return;
        for (const std::string& id : started_) ask(Signal{.container = id, .exec_id = "", .signal = SIGKILL});
        for (const std::string& id : started_) {
            if (!exits_.contains(id)) wait_exit(id);
        }
        EXPECT_TRUE(std::holds_alternative<Done>(ask(Shutdown{})));
        pollfd gone{daemon_.get(), POLLIN, 0};
        EXPECT_EQ(poll(&gone, 1, kPatience), 1) << "the shim ends after Shutdown";
        fs::remove_all(base_);
    }

    void make_layer() {
        const std::string layer = base_ + "/layer";
        ASSERT_TRUE(make_dirs(layer + "/bin"));
        ASSERT_TRUE(make_dirs(layer + "/etc"));
        ASSERT_TRUE(make_dirs(base_ + "/staging"));
        fs::copy_file("/bin/busybox", layer + "/bin/busybox");
        for (const char* name :
             {"sh", "cat", "id", "echo", "sleep", "mount", "ls", "hostname", "ps", "tty", "touch"}) {
            fs::create_symlink("busybox", layer + "/bin/" + name);
        }
        const Dir etc = Dir::open(layer + "/etc").value();
        ASSERT_TRUE(
            etc.write_atomic("passwd", "root:x:0:0::/root:/bin/sh\nweb:x:33:33::/srv:/bin/sh\n", 0644));
    }

    void connect_daemon() {
        daemon_ = UniqueFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = base_ + "/shim/shim.sock";
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        ASSERT_EQ(connect(daemon_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }

    Body ask(Body request, std::vector<int> fds = {}) {
        const uint64_t number = ++last_;
        EXPECT_TRUE(send_message(daemon_.get(), {number, std::move(request)}, fds));
        for (;;) {
            Message message = next();
            if (message.request == number) return message.body;
        }
    }

    // One client of a container's streams, as the daemon makes it.
    struct Client {
        UniqueFd control, in, out, err;
    };
    Client attach(const std::string& id, bool in, bool err) {
        Client client;
        int pair[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        client.control.reset(pair[0]);
        std::vector<UniqueFd> theirs;
        theirs.emplace_back(pair[1]);
        int fds[2];
        if (in) {
            EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
            theirs.emplace_back(fds[0]);
            client.in.reset(fds[1]);
        }
        EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
        client.out.reset(fds[0]);
        theirs.emplace_back(fds[1]);
        if (err) {
            EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
            client.err.reset(fds[0]);
            theirs.emplace_back(fds[1]);
        }
        std::vector<int> raw;
        for (const UniqueFd& fd : theirs) raw.push_back(fd.get());
        const Body reply = ask(Attach{.container = id, .in = in, .out = true, .err = err}, raw);
        EXPECT_TRUE(std::holds_alternative<Done>(reply)) << std::get<Failed>(reply).what;
        return client;
    }

    // What comes until `text` is among it; "" with a failure when it never is.
    std::string read_until(int fd, const std::string& text) {
        std::string seen;
        while (seen.find(text) == std::string::npos) {
            pollfd ready{fd, POLLIN, 0};
            char buffer[4096];
            const ssize_t n = poll(&ready, 1, kPatience) == 1 ? read(fd, buffer, sizeof buffer) : -1;
            if (n <= 0) {
                ADD_FAILURE() << "no \"" << text << "\" in: " << seen;
                return "";
            }
            seen.append(buffer, static_cast<size_t>(n));
        }
        return seen;
    }

    void start_with_stdin(const LaunchPlan& plan, bool once) {
        const UniqueFd memfd = bytes_to_memfd("plan", launch::encode(plan)).value();
        const Body reply =
            ask(StartContainer{.log_path = log_of(plan.id), .stdin_open = true, .stdin_once = once},
                {memfd.get()});
        ASSERT_TRUE(std::holds_alternative<Started>(reply)) << std::get<Failed>(reply).what;
        started_.push_back(plan.id);
    }

    // Events met on the way are kept.
    Message next() {
        pollfd fd{daemon_.get(), POLLIN, 0};
        if (poll(&fd, 1, kPatience) != 1) {
            ADD_FAILURE() << "the shim says nothing";
            return {last_, Failed{.what = "silence"}};
        }
        auto received = receive_message(daemon_.get());
        if (!received) {
            ADD_FAILURE() << received.error().what();
            return {last_, Failed{.what = "gone"}};
        }
        if (const auto* e = std::get_if<Exited>(&received->message.body)) exits_[e->exit.container] = e->exit;
        if (const auto* e = std::get_if<ExecExited>(&received->message.body))
            exec_exits_[e->exec_id] = e->code;
        return std::move(received->message);
    }

    Exit wait_exit(const std::string& id) {
        while (!exits_.contains(id) && !HasFailure()) next();
        return exits_[id];
    }

    void create_sandbox() {
        PausePlan plan;
        plan.id = id_;
        plan.pid.from = plan.ipc.from = plan.uts.from = NsFrom::New;
        plan.hostname = "pod-host";
        const UniqueFd memfd = bytes_to_memfd("plan", launch::encode(plan)).value();
        const Body reply = ask(CreateSandbox{}, {memfd.get()});
        ASSERT_TRUE(std::holds_alternative<Started>(reply)) << std::get<Failed>(reply).what;
        pause_ = std::get<Started>(reply).pid;
    }

    LaunchPlan plan_of(const std::string& name, std::vector<std::string> argv) {
        LaunchPlan plan;
        plan.id = name;
        plan.process.argv = std::move(argv);
        plan.process.env = {"PATH=/bin"};
        plan.process.capabilities.bounding = plan.process.capabilities.permitted =
            plan.process.capabilities.effective = 1u << 10;
        plan.pid.from = NsFrom::New;
        plan.ipc.from = plan.uts.from = NsFrom::Sandbox;
        plan.root = {.lowers = {base_ + "/layer"},
                     .upper = base_ + "/" + name + "/upper",
                     .work = base_ + "/" + name + "/work"};
        plan.staging_dir = base_ + "/staging";
        EXPECT_TRUE(make_dirs(plan.root.upper));
        EXPECT_TRUE(make_dirs(plan.root.work));
        plan.mounts = {
            {.type = "proc", .target = "/proc"},
            {.type = "tmpfs", .target = "/dev", .options = {{"mode", "755"}}},
            {.type = "devpts", .target = "/dev/pts", .options = {{"newinstance", ""}, {"ptmxmode", "0666"}}}};
        plan.devices = {{.path = "/dev/null", .major = 1, .minor = 3},
                        {.path = "/dev/zero", .major = 1, .minor = 5}};
        return plan;
    }

    Body start(const LaunchPlan& plan) {
        const UniqueFd memfd = bytes_to_memfd("plan", launch::encode(plan)).value();
        Body reply = ask(StartContainer{.log_path = log_of(plan.id)}, {memfd.get()});
        if (std::holds_alternative<Started>(reply)) started_.push_back(plan.id);
        return reply;
    }

    std::string log_of(const std::string& id) const {
        return base_ + "/" + id + ".log";
    }

    // The content of a log without times and tags, streams prefixed.
    std::string content(const std::string& id) {
        std::string out;
        const std::string text = read_file(log_of(id)).value_or("");
        for (size_t at = 0; at < text.size();) {
            const size_t end = text.find('\n', at);
            std::string line = text.substr(at, end - at);
            out += line.substr(line.find(' ') + 4, 3) + (line.find(" F ") != std::string::npos ? " " : "~") +
                   line.substr(line.find(' ') + 10) + "\n";
            at = end + 1;
        }
        return out;
    }

    const std::string id_ = random_hex_id();
    std::string base_;
    UniqueFd daemon_;
    uint64_t last_ = 0;
    pid_t pause_ = 0;
    std::vector<std::string> started_;
    std::map<std::string, Exit> exits_;
    std::map<std::string, int> exec_exits_;
};

TEST_F(ShimTest, RunsAContainerAndKeepsItsOutputAndExit) {
    const Body reply = start(plan_of("c", {"sh", "-c", "echo hello; echo oops >&2; hostname; exit 3"}));
    ASSERT_TRUE(std::holds_alternative<Started>(reply)) << std::get<Failed>(reply).what;
    const Exit exit = wait_exit("c");
    EXPECT_EQ(exit.code, 3);
    EXPECT_FALSE(exit.oom);
    EXPECT_GE(exit.finished_at, exit.started_at);
    const std::string text = content("c");
    EXPECT_NE(text.find("out hello\n"), std::string::npos) << text;
    EXPECT_NE(text.find("err oops\n"), std::string::npos) << text;
    EXPECT_NE(text.find("out pod-host\n"), std::string::npos) << text;
    EXPECT_EQ(parse_exit_record(read_file(base_ + "/shim/exits/c").value())->code, 3);
    EXPECT_TRUE(std::holds_alternative<Done>(ask(Forget{"c"})));
    EXPECT_FALSE(fs::exists(base_ + "/shim/exits/c"));
}

TEST_F(ShimTest, ACommandThatDoesNotExistIsAnErrorWithItsPath) {
    const Body reply = start(plan_of("c", {"/no/such/thing"}));
    const auto* failed = std::get_if<Failed>(&reply);
    ASSERT_NE(failed, nullptr);
    EXPECT_EQ(failed->what, "exec /no/such/thing: No such file or directory");
    const Body again = start(plan_of("d", {"nothing-in-path"}));
    ASSERT_NE(std::get_if<Failed>(&again), nullptr);
    EXPECT_NE(
        std::get<Failed>(again).what.find("\"nothing-in-path\": executable file not found in $PATH (/bin)"),
        std::string::npos);
}

TEST_F(ShimTest, TheContainerSeesOnlyItsOwn) {
    LaunchPlan plan = plan_of(
        "c",
        {"sh", "-c",
         "echo pid $$; id; ls /; ls /proc/acpi 2>&1 | cat; cat /proc/kcore | cat; "
         "touch /proc/sys/kernel/hostname 2>&1 | cat; ls /proc/self/fd | cat; grep Cap /proc/self/status; "
         "cat /proc/mounts"});
    plan.process.argv[2] =
        "echo pid $$; id; ls /; cat /masked; ls /hidden; cat /proc/self/status; cat /proc/mounts; echo x "
        ">/ro";
    plan.process.user.user = "web";
    ASSERT_TRUE(make_dirs(base_ + "/layer/hidden/secret"));
    ASSERT_TRUE(Dir::open(base_ + "/layer")->write_atomic("masked", "secret text", 0644));
    ASSERT_TRUE(Dir::open(base_ + "/layer")->write_atomic("ro", "", 0666));
    plan.masked_paths = {"/masked", "/hidden", "/not/there"};
    plan.readonly_paths = {"/ro", "/proc/sys"};
    ASSERT_TRUE(std::holds_alternative<Started>(start(plan)));
    wait_exit("c");
    const std::string text = content("c");
    EXPECT_NE(text.find("out pid 1\n"), std::string::npos) << text;
    EXPECT_NE(text.find("uid=33(web) gid=33"), std::string::npos) << text;
    EXPECT_EQ(text.find("secret"), std::string::npos) << text;
    EXPECT_NE(text.find("CapInh:\t0000000000000000"), std::string::npos) << text;
    EXPECT_NE(text.find("CapBnd:\t0000000000000400"), std::string::npos) << text;
    EXPECT_NE(text.find("NoNewPrivs:\t1"), std::string::npos) << text;
    EXPECT_EQ(text.find(base_ + "/shim"), std::string::npos) << "no mount of the host is left: " << text;
    EXPECT_NE(text.find("Read-only file system"), std::string::npos) << text;
}

TEST_F(ShimTest, ManyLayersAreOneRootWithTheHighestOnTop) {
    LaunchPlan plan = plan_of("c", {"sh", "-c", "cat /who; ls /only | cat"});
    for (int i = 0; i < 40; ++i) {
        const std::string layer =
            base_ + "/layer-with-a-name-as-long-as-a-digest-" + std::string(40, 'x') + std::to_string(i);
        ASSERT_TRUE(make_dirs(layer + "/only"));
        ASSERT_TRUE(Dir::open(layer)->write_atomic("who", "layer " + std::to_string(i) + "\n", 0644));
        ASSERT_TRUE(Dir::open(layer + "/only")->write_atomic("f" + std::to_string(i), "", 0644));
        plan.root.lowers.insert(plan.root.lowers.begin(), layer);
    }
    const Body reply = start(plan);
    ASSERT_TRUE(std::holds_alternative<Started>(reply)) << std::get<Failed>(reply).what;
    EXPECT_EQ(wait_exit("c").code, 0);
    const std::string text = content("c");
    EXPECT_EQ(text.find("out layer 39\n"), 0u) << text;
    EXPECT_NE(text.find("out f0\n"), std::string::npos) << text;
}

TEST_F(ShimTest, ASharedPidNamespaceHasPauseAsItsFirstProcess) {
    LaunchPlan plan = plan_of(
        "c",
        {"sh", "-c", "echo me $$; cat /proc/1/comm; ls /proc/1/root 2>&1; sleep 1000 & exec sleep 1000"});
    plan.pid.from = NsFrom::Sandbox;
    ASSERT_TRUE(std::holds_alternative<Started>(start(plan)));
    EXPECT_TRUE(
        std::holds_alternative<Done>(ask(Signal{.container = "c", .exec_id = "", .signal = SIGKILL})));
    EXPECT_EQ(wait_exit("c").code, 137);
    EXPECT_EQ(read_file("/proc/" + std::to_string(pause_) + "/comm").value(), "pause\n");
}

TEST_F(ShimTest, ExecJoinsTheContainerAndReportsItsCode) {
    ASSERT_TRUE(std::holds_alternative<Started>(start(plan_of("c", {"sleep", "1000"}))));
    int out[2];
    ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
    UniqueFd out_read(out[0]);
    UniqueFd out_write(out[1]);
    const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    ExecPlan plan;
    plan.process = plan_of("x", {"sh", "-c", "cat /proc/1/cmdline; hostname; exit 7"}).process;
    const UniqueFd memfd = bytes_to_memfd("plan", launch::encode(plan)).value();
    const Body reply =
        ask(Exec{.container = "c", .exec_id = "e"}, {memfd.get(), null.get(), out_write.get(), null.get()});
    ASSERT_TRUE(std::holds_alternative<Started>(reply)) << std::get<Failed>(reply).what;
    out_write.reset();
    while (!exec_exits_.contains("e") && !HasFailure()) next();
    EXPECT_EQ(exec_exits_["e"], 7);
    EXPECT_EQ(read_all(out_read.get()).value(), std::string("sleep\0001000\0pod-host\n", 20));
    const Body gone =
        ask(Exec{.container = "nobody", .exec_id = "f"}, {memfd.get(), null.get(), null.get(), null.get()});
    EXPECT_EQ(std::get<Failed>(gone).kind, Kind::NotFound);
}

TEST_F(ShimTest, AnExecWithATerminalGivesItsControllingSide) {
    ASSERT_TRUE(std::holds_alternative<Started>(start(plan_of("c", {"sleep", "1000"}))));
    ExecPlan plan;
    plan.process = plan_of("x", {"sh", "-c", "tty; read line; echo got $line; exit 4"}).process;
    plan.process.terminal = true;
    const UniqueFd memfd = bytes_to_memfd("plan", launch::encode(plan)).value();
    ASSERT_TRUE(send_message(daemon_.get(), {77, Exec{.container = "c", .exec_id = "e"}}, {memfd.get()}));
    auto reply = receive_message(daemon_.get());
    ASSERT_TRUE(reply && std::holds_alternative<Started>(reply->message.body));
    ASSERT_EQ(reply->fds.size(), 1u);
    const int terminal = reply->fds[0].get();
    read_until(terminal, "/dev/pts/0");
    ASSERT_TRUE(write_all(terminal, "typed\n"));
    read_until(terminal, "got typed");
    while (!exec_exits_.contains("e") && !HasFailure()) next();
    EXPECT_EQ(exec_exits_["e"], 4);
}

TEST_F(ShimTest, WhoIsAttachedSeesWhatComesFromThenOnAndTheEnd) {
    LaunchPlan plan =
        plan_of("c", {"sh", "-c", "echo before; read a; echo out $a; echo err $a >&2; read b; exit 5"});
    start_with_stdin(plan, false);
    while (content("c").find("before") == std::string::npos && !HasFailure()) {
    }
    Client first = attach("c", true, true);
    Client second = attach("c", false, false);
    ASSERT_TRUE(write_all(first.in.get(), "one\n"));
    EXPECT_EQ(read_until(first.out.get(), "one\n"), "out one\n");
    EXPECT_EQ(read_until(first.err.get(), "one\n"), "err one\n");
    EXPECT_EQ(read_until(second.out.get(), "one\n"), "out one\n");
    // The end of one client's input is not the container's.
    first.in.reset();
    Client third = attach("c", true, false);
    ASSERT_TRUE(write_all(third.in.get(), "two\n"));
    EXPECT_EQ(wait_exit("c").code, 5);
    for (const Client* client : {&first, &second, &third}) {
        char byte = 0;
        EXPECT_EQ(read(client->out.get(), &byte, 1), 0);
        EXPECT_EQ(read(client->control.get(), &byte, 1), 0);
    }
}

TEST_F(ShimTest, StdinOnceEndsWithTheFirstClientsInput) {
    start_with_stdin(plan_of("c", {"sh", "-c", "cat; echo end"}), true);
    Client client = attach("c", true, false);
    const std::string much(300'000, 'x');
    std::thread writer([&] {
        EXPECT_TRUE(write_all(client.in.get(), much + "\n"));
        client.in.reset();
    });
    const std::string all = read_all(client.out.get()).value();
    writer.join();
    EXPECT_EQ(all.size(), much.size() + 5);
    EXPECT_TRUE(all == much + "\nend\n");
    EXPECT_EQ(wait_exit("c").code, 0);
}

TEST_F(ShimTest, NothingIsLostToASlowClientAndTheEndDoesNotWaitForIt) {
    start_with_stdin(plan_of("c", {"sh", "-c", "read go; cat /bin/busybox; echo over"}), false);
    Client slow = attach("c", true, false);
    ASSERT_TRUE(write_all(slow.in.get(), "go\n"));
    // More than pipes hold: it waits for us.
    std::string seen(1 << 20, '\0');
    ASSERT_EQ(read(slow.out.get(), seen.data(), 4096), 4096);
    const std::string busybox = read_file("/bin/busybox", 16 << 20).value();
    size_t have = 4096;
    while (have + 150'000 < busybox.size()) {
        seen.resize(busybox.size() + 100);
        const ssize_t n = read(slow.out.get(), seen.data() + have, 8192);
        ASSERT_GT(n, 0);
        have += static_cast<size_t>(n);
    }
    const std::string rest = read_all(slow.out.get()).value();
    EXPECT_EQ(seen.substr(0, have) + rest, busybox + "over\n");
    EXPECT_EQ(wait_exit("c").code, 0);
}

TEST_F(ShimTest, TheEndIsToldBeforeASlowClientHasAll) {
    start_with_stdin(plan_of("c", {"sh", "-c", "read go; head -c 100000 /bin/busybox"}), false);
    fs::create_symlink("busybox", base_ + "/layer/bin/head");
    Client slow = attach("c", true, false);
    ASSERT_TRUE(write_all(slow.in.get(), "go\n"));
    EXPECT_EQ(wait_exit("c").code, 0);
    EXPECT_EQ(read_all(slow.out.get()).value().size(), 100'000u);
}

TEST_F(ShimTest, ATerminalTakesInputAndSizeFromClients) {
    LaunchPlan plan = plan_of("c", {"sh", "-c", "read a; echo got $a; read b; stty size"});
    fs::create_symlink("busybox", base_ + "/layer/bin/stty");
    plan.process.terminal = true;
    start_with_stdin(plan, false);
    Client client = attach("c", true, false);
    ASSERT_TRUE(write_all(client.in.get(), "this\n"));
    read_until(client.out.get(), "got this");
    EXPECT_TRUE(std::holds_alternative<Done>(ask(Resize{.container = "c", .width = 90, .height = 30})));
    ASSERT_TRUE(write_all(client.in.get(), "\n"));
    read_until(client.out.get(), "30 90");
    EXPECT_EQ(wait_exit("c").code, 0);
}

TEST_F(ShimTest, ATerminalIsTheControllingOne) {
    LaunchPlan plan = plan_of("c", {"sh", "-c", "tty; echo done"});
    plan.process.terminal = true;
    const Body reply = start(plan);
    ASSERT_TRUE(std::holds_alternative<Started>(reply)) << std::get<Failed>(reply).what;
    EXPECT_EQ(wait_exit("c").code, 0);
    EXPECT_NE(content("c").find("out /dev/pts/0"), std::string::npos) << content("c");
}

TEST_F(ShimTest, ANewDaemonLearnsEverythingByHello) {
    ASSERT_TRUE(std::holds_alternative<Started>(start(plan_of("a", {"sleep", "1000"}))));
    ASSERT_TRUE(std::holds_alternative<Started>(start(plan_of("b", {"sh", "-c", "exit 9"}))));
    wait_exit("b");
    daemon_.reset();
    connect_daemon();
    const Body reply = ask(Hello{});
    const auto& snapshot = std::get<Snapshot>(reply);
    EXPECT_EQ(snapshot.pause_pid, pause_);
    ASSERT_EQ(snapshot.containers.size(), 2u);
    EXPECT_GT(snapshot.containers[0].pid, 0);
    EXPECT_EQ(snapshot.containers[1].exit->code, 9);
    const Body refused = ask(Shutdown{});
    EXPECT_EQ(std::get<Failed>(refused).kind, Kind::Precondition);
}

TEST_F(ShimTest, GarbageOnTheSocketOnlyCostsThatConnection) {
    ASSERT_GT(send(daemon_.get(), "garbage", 7, MSG_NOSIGNAL), 0);
    char byte = 0;
    EXPECT_EQ(recv(daemon_.get(), &byte, 1, 0), 0);
    connect_daemon();
    EXPECT_TRUE(std::holds_alternative<Snapshot>(ask(Hello{})));
}

TEST_F(ShimTest, NoMountIsMadeInTheHostsNamespace) {
    const std::string before = read_file("/proc/self/mountinfo").value();
    ASSERT_TRUE(std::holds_alternative<Started>(start(plan_of("c", {"sleep", "1000"}))));
    EXPECT_EQ(read_file("/proc/self/mountinfo").value(), before);
}

}  // namespace
}  // namespace orlop::shim
