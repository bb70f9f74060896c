// linux.seccomp: actions, conditions, flags and the listener.
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "base/dir.h"

#include "oci/harness/oci_test.h"
#include "oci/harness/unix_listener.h"

namespace orlop::it {
namespace {

class SeccompProfiles : public OciTest {
  protected:
    static Json rule(const char* name, const char* action) { return {{"names", {name}}, {"action", action}}; }
    static Json with(const std::string& script, const std::vector<Json>& rules,
                     const char* otherwise = "SCMP_ACT_ALLOW") {
        Json spec = shell_spec(script);
        spec["linux"]["seccomp"] = {{"defaultAction", otherwise}, {"syscalls", rules}};
#if defined(__x86_64__)
        spec["linux"]["seccomp"]["architectures"] = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
#endif
        return spec;
    }
};

TEST_F(SeccompProfiles, ErrnoIsThatOfTheRule) {
    Json deny = rule("mkdir", "SCMP_ACT_ERRNO");
    EXPECT_NE(run_to_end(with("mkdir /x", {deny})).err.find("Operation not permitted"), std::string::npos);
    deny["errnoRet"] = ENOSPC;
    EXPECT_NE(run_to_end(with("mkdir /x", {deny})).err.find("No space left"), std::string::npos);
    deny["errnoRet"] = ENOSYS;
    EXPECT_NE(run_to_end(with("mkdir /x", {deny})).err.find("not implemented"), std::string::npos);
}

TEST_F(SeccompProfiles, TheDefaultActionHasItsErrnoToo) {
    Json names = Json::array();
    for (const char* name : {"read",
                             "write",
                             "execve",
                             "brk",
                             "mmap",
                             "munmap",
                             "mprotect",
                             "exit",
                             "exit_group",
                             "arch_prctl",
                             "rt_sigaction",
                             "rt_sigprocmask",
                             "set_tid_address",
                             "set_robust_list",
                             "rseq",
                             "prlimit64",
                             "getrandom",
                             "readlink",
                             "readlinkat",
                             "getuid",
                             "getgid",
                             "geteuid",
                             "getegid",
                             "getpid",
                             "getppid",
                             "uname",
                             "stat",
                             "newfstatat",
                             "fstat",
                             "lstat",
                             "getcwd",
                             "dup2",
                             "dup",
                             "fcntl",
                             "close",
                             "ioctl",
                             "open",
                             "openat",
                             "wait4",
                             "futex",
                             "lseek",
                             "rt_sigreturn",
                             "prctl",
                             "capget",
                             "capset",
                             "setuid",
                             "setgid",
                             "setgroups",
                             "chdir",
                             "fchdir",
                             "clone",
                             "fork",
                             "vfork",
                             "access",
                             "getdents64",
                             "statfs",
                             "fstatfs",
                             "umask",
                             "close_range",
                             "epoll_ctl",
                             "epoll_pwait",
                             "nanosleep",
                             "tgkill",
                             "madvise",
                             "sigaltstack",
                             "sched_getaffinity",
                             "execveat",
                             "seccomp",
                             "sched_yield",
                             "pread64",
                             "gettid",
                             "eventfd2",
                             "pipe2",
                             "kill",
                             "poll",
                             "sendto",
                             "sendmsg",
                             "recvfrom",
                             "recvmsg",
                             "keyctl",
                             "faccessat2",
                             "setsid",
                             "setresuid",
                             "setresgid"})
        names.push_back(name);
    Json spec = with("mkdir /x", {Json{{"names", names}, {"action", "SCMP_ACT_ALLOW"}}}, "SCMP_ACT_ERRNO");
    spec["linux"]["seccomp"]["defaultErrnoRet"] = ENOSPC;
    const Reply reply = run_to_end(spec);
    EXPECT_NE(reply.err.find("No space left"), std::string::npos) << reply.err;
}

TEST_F(SeccompProfiles, KillingActionsEndTheProcess) {
    // SIGSYS is 31; the shell says 128+31 of its child.
    for (const char* action :
         {"SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"}) {
        const Reply reply =
            run_to_end(with("(mkdir /x); echo $?; test -e /x || echo none", {rule("mkdir", action)}));
        EXPECT_EQ(reply.out, "159\nnone\n") << action << reply.err;
    }
}

TEST_F(SeccompProfiles, LogAndTraceAndAllow) {
    EXPECT_EQ(run_to_end(with("mkdir /x && echo made", {rule("mkdir", "SCMP_ACT_LOG")})).out, "made\n");
    EXPECT_EQ(
        run_to_end(with("mkdir /x && echo made", {rule("mkdir", "SCMP_ACT_ALLOW")}, "SCMP_ACT_LOG")).out,
        "made\n");
    // nobody traces: ENOSYS
    EXPECT_NE(run_to_end(with("mkdir /x", {rule("mkdir", "SCMP_ACT_TRACE")})).err.find("not implemented"),
              std::string::npos);
}

TEST_F(SeccompProfiles, AFilterIsThere) {
    EXPECT_EQ(
        output_of(with("grep ^Seccomp: /proc/self/status | cut -f2", {rule("mkdir", "SCMP_ACT_ERRNO")})),
        "2");
    EXPECT_EQ(output_of(shell_spec("grep ^Seccomp: /proc/self/status | cut -f2")), "0");
}

// chmod(path, mode) of busybox: conditions on its second argument.
struct Condition {
    const char* op;
    int value, value_two;
    const char* hit;
    const char* miss;
};

class SeccompConditions : public SeccompProfiles, public ::testing::WithParamInterface<Condition> {};

TEST_P(SeccompConditions, DecideByTheArgument) {
    const Condition& c = GetParam();
    Json deny = rule("chmod", "SCMP_ACT_ERRNO");
    deny["args"] = {{{"index", 1}, {"value", c.value}, {"valueTwo", c.value_two}, {"op", c.op}}};
    const Reply reply = run_to_end(with(std::string("touch /x; chmod ") + c.hit +
                                            " /x 2>/dev/null; echo $?; chmod " + c.miss + " /x; echo $?",
                                        {deny}));
    EXPECT_EQ(reply.out, "1\n0\n") << reply.err;
}

INSTANTIATE_TEST_SUITE_P(, SeccompConditions,
                         ::testing::Values(Condition{"SCMP_CMP_EQ", 0700, 0, "0700", "0600"},
                                           Condition{"SCMP_CMP_NE", 0700, 0, "0600", "0700"},
                                           Condition{"SCMP_CMP_LT", 0700, 0, "0677", "0700"},
                                           Condition{"SCMP_CMP_LE", 0700, 0, "0700", "0701"},
                                           Condition{"SCMP_CMP_GT", 0700, 0, "0701", "0700"},
                                           Condition{"SCMP_CMP_GE", 0700, 0, "0700", "0677"},
                                           Condition{"SCMP_CMP_MASKED_EQ", 07000, 04000, "4700", "0700"}),
                         [](const auto& tested) { return std::string(tested.param.op); });

TEST_F(SeccompProfiles, FlagsAreTaken) {
    ORLOP_OCI_LACKED_BY("runc", "flags of seccomp (1.1)");
    Json spec = with("mkdir /x 2>/dev/null || echo denied", {rule("mkdir", "SCMP_ACT_ERRNO")});
    for (const char* flag :
         {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"}) {
        spec["linux"]["seccomp"]["flags"] = Json::array({flag});
        EXPECT_EQ(run_to_end(spec).out, "denied\n") << flag;
    }
    spec["linux"]["seccomp"]["flags"] = Json::array({"SECCOMP_FILTER_FLAG_HOPE"});
    const Bundle b = bundle();
    const Reply reply = run_to_end(b, spec);
    EXPECT_NE(reply.code, 0);
    expect_nothing_left(b);
}

TEST_F(SeccompProfiles, UnknownActionsAndOperatorsAreRefusedUnknownCallsAreNot) {
    for (const Json& bad : {rule("mkdir", "SCMP_ACT_DREAM"),
                            Json{{"names", {"mkdir"}},
                                 {"action", "SCMP_ACT_ERRNO"},
                                 {"args", {{{"index", 0}, {"value", 1}, {"op", "SCMP_CMP_LIKE"}}}}}}) {
        const Bundle b = bundle();
        EXPECT_NE(run_to_end(b, with("true", {bad})).code, 0) << bad;
        expect_nothing_left(b);
    }
    EXPECT_EQ(run_to_end(with("true", {rule("a_call_of_the_future", "SCMP_ACT_ERRNO")})).code, 0);
}

TEST_F(SeccompProfiles, ExecIsFilteredToo) {
    Json spec = with("trap 'exit 0' TERM; while :; do sleep 0.05; done", {rule("mkdir", "SCMP_ACT_ERRNO")});
    const Bundle b = launch(spec);
    EXPECT_NE(exec(b, "mkdir /x").err.find("Operation not permitted"), std::string::npos);
}

TEST_F(SeccompProfiles, WorksWithAndWithoutNoNewPrivileges) {
    Json spec = with("mkdir /x 2>/dev/null || echo denied", {rule("mkdir", "SCMP_ACT_ERRNO")});
    spec["process"]["noNewPrivileges"] = false;
    EXPECT_EQ(run_to_end(spec).out, "denied\n");
    spec["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
    EXPECT_EQ(run_to_end(spec).out, "denied\n");
}

// Answers one notification: the call fails with `error`.
void answer(int listener, int error) {
    struct pollfd waits = {.fd = listener, .events = POLLIN, .revents = 0};
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(scaled(10));
    ASSERT_EQ(poll(&waits, 1, static_cast<int>(limit.count())), 1) << "no notification";
    struct seccomp_notif asked = {};
    ASSERT_EQ(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked), 0);
    struct seccomp_notif_resp reply = {.id = asked.id, .val = 0, .error = -error, .flags = 0};
    ASSERT_EQ(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply), 0);
}

TEST_F(SeccompProfiles, TheListenerGetsTheStateAndAnswers) {
    const Bundle b = bundle();
    const std::string path = state_dir() + "/seccomp";
    UnixListener listener(path);
    Json spec = with("mkdir /x 2>&1; test -e /x || echo none", {rule("mkdir", "SCMP_ACT_NOTIFY")});
    spec["linux"]["seccomp"]["listenerPath"] = path;
    spec["linux"]["seccomp"]["listenerMetadata"] = "some metadata";
    // Some send it at create, some when the process starts.
    write_config(b, spec);
    const auto child = runtime().start({"run", "--bundle", b.dir, b.id}, b.log());
    ASSERT_TRUE(child);
    auto message = listener.receive();
    ASSERT_TRUE(message) << message.error().what() << trimmed(*read_file(b.log()));
    ASSERT_EQ(message->fds.size(), 1u);
    const Json told = Json::parse(message->text, nullptr, false);
    ASSERT_TRUE(told.is_object()) << message->text;
    EXPECT_EQ(told["fds"].dump(), "[\"seccompFd\"]");
    EXPECT_EQ(told["metadata"], "some metadata");
    EXPECT_GT(told["pid"].get<int>(), 0);
    EXPECT_EQ(told["state"]["id"], b.id);
    EXPECT_EQ(told["state"]["bundle"], b.dir);
    answer(message->fds[0].get(), ENOMEDIUM);
    EXPECT_TRUE(log_shows(b, "No medium found"));
    EXPECT_TRUE(log_shows(b, "none"));
    EXPECT_TRUE(wait_child(*child, scaled(20)));
}

TEST_F(SeccompProfiles, AListenerThatIsNotThereIsRefused) {
    Json spec = with("true", {rule("mkdir", "SCMP_ACT_NOTIFY")});
    spec["linux"]["seccomp"]["listenerPath"] = "/no/such/socket";
    const Bundle b = bundle();
    EXPECT_NE(run_to_end(b, spec).code, 0);
    expect_nothing_left(b);
}

}  // namespace
}  // namespace orlop::it
