// Attacks by other users of the host on what the runtime keeps there, and by commands in containers on the
// daemon.
#include <gmock/gmock.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/dir.h"
#include "harness/attack_test.h"
#include "harness/dialog.h"

namespace orlop::it {
namespace {

class AttacksOnTheHost : public AttackTest {
  protected:
    // `script` as a user who has no rights, with the node's directories as its arguments.
    static bool succeeds_as_nobody(const std::string& script, const NodePaths& paths) {
        return run({"/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/bin/sh",
                    "-c", script, "sh", paths.root, paths.state})
            .ok();
    }
};

// CVE-2021-41103: a program with the set-user-id bit, out of an image, run by another user of the host. The
// state directories themselves are as an administrator makes them who thinks nothing of it: open to be
// entered.
TEST_F(AttacksOnTheHost, AnotherUserEntersTheStateDirectories) {
    const ImageSpec image =
        hostile_image("it-suid", {{.path = "suid", .content = "a program", .mode = 04755}});
    const auto found_by_others = [&](const std::vector<std::string>& program) {
        Node other("AttacksOnTheHostOther");
        other.use_program(program);
        EXPECT_TRUE(other.prepare());
        const NodePaths& paths = other.paths();
        for (const std::string& dir :
             {place().base_dir, std::string("/run/orlopit"), paths.base, paths.run, paths.root, paths.state})
            EXPECT_EQ(chmod(dir.c_str(), 0755), 0);
        const Status started = other.start();
        EXPECT_TRUE(started) << started.error().what();
        const Status imported = other.import(image);
        EXPECT_TRUE(imported) << imported.error().what();
        const Json pod = host_pod_config(other, "suid");
        const std::string id = other.crictl().launch(
            other.crictl().runp(pod),
            in_image(shell_config("suid", "cp -p /suid /taken; exec sleep 1000"), image), pod);
        EXPECT_TRUE(eventually(scaled(10), [&] {
            return other.crictl().run({"exec", "-s", id, "ls", "/taken"}).ok();
        }));
        const bool found =
            succeeds_as_nobody("find \"$@\" -perm -4000 -type f 2>/dev/null | grep .", paths) ||
            succeeds_as_nobody("find \"$@\" -mindepth 2 -type f 2>/dev/null | grep .", paths) ||
            succeeds_as_nobody("find \"$@\" -type s 2>/dev/null | grep .", paths);
        other.crictl().remove_all();
        return found;
    };
    EXPECT_FALSE(found_by_others({})) << "the attack succeeds";
    EXPECT_TRUE(found_by_others(weak_program("closed-directories"))) << "the test sees nothing";
}

TEST_F(AttacksOnTheHost, AnotherUserConnectsToTheSockets) {
    const auto connects_as_nobody = [&] {
        for (const std::string& dir : {std::string("/run/orlopit"), node().paths().run})
            EXPECT_EQ(chmod(dir.c_str(), 0755), 0);
        const pid_t child = fork();
        if (child == 0) {
            const bool nobody = setgroups(0, nullptr) == 0 && setresgid(65534, 65534, 65534) == 0 &&
                                setresuid(65534, 65534, 65534) == 0;
            _exit(nobody && connects(node().paths().socket) ? 0 : 1);
        }
        int status = -1;
        EXPECT_EQ(waitpid(child, &status, 0), child);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    };
    expect_defended("socket-mode", connects_as_nobody);
}

// Peak of the resident memory, in KiB.
long peak_of(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    std::string line;
    while (std::getline(status, line)) {
        if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
    }
    return -1;
}

// CVE-2022-1708: a command in a container that writes without end, into the daemon's memory.
TEST_F(AttacksOnTheHost, AnExecThatFloodsTheDaemon) {
    constexpr long kBound = 96L << 10;  // 16 MiB a stream, and what it takes to answer with them
    expect_defended("exec-output-limit", [&] {
        const Launched launched = launch("flood", kSleepUntilStopped);
        const pid_t daemon = node().runtime().pid();
        const long before = peak_of(daemon);
        const Reply reply =
            crictl().run({"exec", "-s", launched.container, "/bin/sh", "-c",
                          "dd if=/dev/zero bs=1M count=192; dd if=/dev/zero bs=1M count=8 >&2"});
        EXPECT_FALSE(node().runtime().ended());
        const long grown = peak_of(daemon) - before;
        crictl().remove_all();
        return grown > kBound;
    });
}

// CVE-2022-23471: clients that attach, change their terminal's size again and again, and vanish. Whatever the
// daemon and the shim keep of one, they keep of ten thousand.
TEST_F(AttacksOnTheHost, ClientsThatAttachAndVanish) {
    constexpr int kClients = 30;
    expect_defended("detach", [&] {
        const Json pod = new_pod("vanish");
        Json container = shell_config(
            "vanish", "trap 'exit 0' TERM; trap 'echo resized' WINCH; while :; do sleep 0.1; done");
        container["stdin"] = container["tty"] = true;
        const std::string pod_id = crictl().runp(pod);
        const std::string id = crictl().launch(pod_id, container, pod);
        const auto shim = static_cast<pid_t>(
            crictl().json({"inspectp", pod_id})["info"]["sandboxMetadata"].value("shimPid", 0));
        unsigned short rows = 20;
        const auto attach_and_vanish = [&] {
            Dialog client(crictl().argv({"attach", "-it", id}, scaled(60)), Dialog::On::Terminal);
            // Whenever it comes: the size is another one than the last client's.
            client.resize(++rows, 80);
            client.hear("resized");
        };
        // Threads, and what is made at the first use.
        attach_and_vanish();
        const auto kept = [&] { return footprint(node().runtime().pid()).fds + footprint(shim).fds; };
        const int before = kept();
        for (int i = 0; i < kClients; ++i) attach_and_vanish();
        const bool flat = eventually(scaled(5), [&] { return kept() <= before + 2; });
        crictl().remove_all();
        return !flat;
    });
}

}  // namespace
}  // namespace orlop::it
