// Attacks that other runtimes fell to (docs/LAUNCH.md names the defences). Each is mounted twice: against the
// runtime under test, where it has to fail, and against orlop-oci-weak with just that defence left out
// (base/weak.h), where it has to succeed, or the test would see nothing.
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "base/dir.h"
#include "oci/harness/oci_test.h"
#include "oci/harness/unix_listener.h"

namespace orlop::it {
namespace {

namespace fs = std::filesystem;

class Attacks : public OciTest {
  protected:
    using Attack = std::function<bool()>;  // whether it succeeded

    void SetUp() override {
        OciTest::SetUp();
        // What makes the cgroup has no part in it, and orlop-oci-weak has no orlop-scope beside it.
        runtime().use(Driver::Cgroupfs);
    }

    void expect_defended(const std::string& defences, const Attack& attack) {
        EXPECT_FALSE(attack()) << "the attack succeeds";
        if (Runtime::kind() != "orlop") return;
        const std::string weak = fs::read_symlink("/proc/self/exe").parent_path() / "orlop-oci-weak";
        ASSERT_EQ(access(weak.c_str(), X_OK), 0) << weak << " is not there: build it";
        runtime().use_program(weak);
        runtime().wrap({"/usr/bin/env", "ORLOP_WEAKEN=" + defences});
        EXPECT_TRUE(attack()) << "without " << defences << " the attack fails too: the test sees nothing";
        runtime().wrap({});
        runtime().use_program(place().oci);
    }
    // run with a console socket, until the container has written to /done or has failed.
    void run_with_terminal(const Bundle& b, const Json& spec) {
        static int number = 0;
        const std::string path = state_dir() + "/attacked" + std::to_string(++number);
        UnixListener listener(path);
        const Reply created = create(b, spec, {"--console-socket", path});
        if (!created.ok()) return;
        const auto terminal = listener.receive();
        EXPECT_TRUE(terminal) << terminal.error().what();
        EXPECT_EQ(oci({"start", b.id}).code, 0);
        EXPECT_TRUE(eventually(scaled(20), [&] { return file_shows(b.rootfs + "/done", "over"); }));
        (void)oci({"delete", "--force", b.id});
    }
    static void replace_by_link(const std::string& path, const std::string& target) {
        fs::remove_all(path);
        fs::create_symlink(target, path);
    }
};

// CVE-2024-21626: a descriptor of the host that the runtime was started with, and a working directory through
// it.
TEST_F(Attacks, AWorkingDirectoryThroughALeakedDescriptor) {
    expect_defended("close-fds,cwd-check", [&] {
        const Bundle b = bundle();
        const std::string secrets = b.file("secrets");
        fs::create_directory(secrets);
        write_text(secrets + "/secret", "of the host");
        const UniqueFd leaked(open(secrets.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        Json spec = shell_spec("cat secret");
        spec["process"]["cwd"] = "/proc/self/fd/9";
        write_config(b, spec);
        (void)runtime().call_logged({"run", "--bundle", b.dir, b.id}, b.log(), {{leaked.get(), 9}});
        return file_shows(b.log(), "of the host");
    });
}

// CVE-2019-19921: a procfs that is not where /proc is.
TEST_F(Attacks, ProcIsASymlinkOfTheImage) {
    expect_defended("real-mount-targets", [&] {
        const Bundle b = bundle();
        replace_by_link(b.rootfs + "/proc", "tmp");
        return run_to_end(b, shell_spec("true")).code == 0;
    });
}

// The same for /dev: device nodes, and links that we make, would land elsewhere.
TEST_F(Attacks, DevIsASymlinkOfTheImage) {
    expect_defended("real-mount-targets,dev-symlink", [&] {
        const Bundle b = bundle();
        replace_by_link(b.rootfs + "/dev", "tmp");
        return run_to_end(b, shell_spec("true")).code == 0;
    });
}

// CVE-2019-16884: a directory of the attacker's in the place of procfs, where labels are written.
TEST_F(Attacks, AVolumeOverProc) {
    expect_defended("proc-magic", [&] {
        const Bundle b = bundle();
        fs::create_directory(b.file("fake"));
        write_text(b.file("fake") + "/mine", "fake");
        Json spec = shell_spec("cat /proc/mine");
        add_mount(spec, "bind", b.file("fake"), "/proc", {"rbind"});
        return run_to_end(b, spec).out == "fake";
    });
}

// CVE-2025-31133: what is bound over a masked file is the attacker's own file.
TEST_F(Attacks, TheNullDeviceOfTheImageIsAFile) {
    expect_defended("masked-null", [&] {
        const Bundle b = bundle();
        fs::create_directory(b.file("dev"));
        write_text(b.file("dev") + "/null", "the attacker's");
        write_text(b.rootfs + "/etc/secret", "masked");
        Json spec = shell_spec("cat /etc/secret");
        add_mount(spec, "bind", b.file("dev"), "/dev", {"rbind"});
        spec["linux"]["maskedPaths"] = {"/etc/secret"};
        return run_to_end(b, spec).out == "the attacker's";
    });
}

// CVE-2021-30465, CVE-2024-45310: the way to a mount's target leads through a link in a volume that others
// write to.
TEST_F(Attacks, AMountTargetThroughALinkInASharedVolume) {
    expect_defended("in-root", [&] {
        const Bundle b = bundle();
        const std::string host = b.file("host");
        fs::create_directory(host);
        fs::create_directory(b.file("volume"));
        fs::create_symlink(host, b.file("volume") + "/data");
        Json spec = shell_spec("true");
        add_mount(spec, "bind", b.file("volume"), "/volume", {"rbind"});
        add_mount(spec, "tmpfs", "tmpfs", "/volume/data/made");
        (void)run_to_end(b, spec);
        return fs::exists(host + "/made");
    });
}

// CVE-2019-5736: a process in the container keeps the runtime's binary open and writes to it once nobody runs
// it.
TEST_F(Attacks, TheRuntimesOwnBinaryIsOverwritten) {
    expect_defended("own-binary", [&] {
        const std::string steal =
            "exec 8</proc/1/exe || exit 0\n"
            "( for i in $(seq 100); do\n"
            "    if (: >>/proc/self/fd/8) 2>/dev/null; then echo yes >/done; exit; fi\n"
            "    usleep 10000\n"
            "  done; echo no >/done ) </dev/null >/dev/null 2>&1 &\n";
        Json spec = sleeper_spec();
        spec["hooks"]["startContainer"] = {{{"path", "/bin/sh"}, {"args", {"sh", "-c", steal}}}};
        const Bundle b = launch(spec);
        EXPECT_TRUE(eventually(scaled(20), [&] { return file_shows(b.rootfs + "/done", "\n"); }));
        const bool stolen = file_shows(b.rootfs + "/done", "yes");
        (void)oci({"delete", "--force", b.id});
        return stolen;
    });
}

// CVE-2016-9962: a process of the container looks into one that is about to become a process of the
// container. Root of a user namespace whose ids are the host's own: nothing but its being untraceable stands
// between.
TEST_F(Attacks, AnExecIsTracedWhileItJoins) {
    setenv("ORLOP_ATTACK_SECRET", "of the runtime's environment", 1);
    expect_defended("dumpable", [&] {
        Json spec = shell_spec(
            "while :; do for p in /proc/[0-9]*; do\n"
            "  read -r all <$p/environ; case $all in *ORLOP_ATTACK_SECRET*) echo yes >/seen; exec sleep "
            "60;; esac\n"
            "done 2>/dev/null; done");
        map_users(spec, 0);
        set_capabilities(spec, {"CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"});
        const Bundle b = launch(spec);
        // So many users to look through keep it on its way for some milliseconds.
        std::string users;
        for (int uid = 1; users.size() < 900'000; ++uid)
            users += "user" + std::to_string(uid) + ":x:" + std::to_string(uid) + ":0::/:/bin/sh\n";
        write_text(b.rootfs + "/etc/passwd", users);
        bool seen = false;
        for (int i = 0; i < 100 && !seen; ++i) {
            EXPECT_EQ(exec(b, "exit 0").code, 0);
            seen = fs::exists(b.rootfs + "/seen");
        }
        (void)oci({"delete", "--force", b.id});
        return seen;
    });
    unsetenv("ORLOP_ATTACK_SECRET");
}

// CVE-2025-52565: what is bound over /dev/console is found by its name in a /dev/pts of the attacker's.
TEST_F(Attacks, TheTerminalsNameIsALink) {
    expect_defended("console-source", [&] {
        const Bundle b = bundle();
        const std::string pts = b.file("pts");
        fs::create_directories(pts + "/pts");
        EXPECT_EQ(mknod((pts + "/ptmx").c_str(), S_IFCHR | 0666, makedev(5, 2)), 0);
        fs::create_symlink("/etc/secret", pts + "/0");
        write_text(b.rootfs + "/etc/secret", "masked");
        Json spec = shell_spec(
            "test -f /dev/console && grep -q masked /dev/console && echo seen >/done; echo over >>/done");
        spec["process"]["terminal"] = true;
        add_mount(spec, "bind", pts, "/dev/pts", {"bind", "dev"});
        add_mount(spec, "devpts", "devpts", "/dev/pts/pts", {"newinstance", "ptmxmode=0666", "mode=0620"});
        run_with_terminal(b, spec);
        return file_shows(b.rootfs + "/done", "seen");
    });
}

// The same from the other end: /dev/console leads to a file that others trust.
TEST_F(Attacks, TheConsoleIsALink) {
    expect_defended("console-target", [&] {
        const Bundle b = bundle();
        fs::create_directories(b.file("dev") + "/pts");
        fs::create_symlink("/etc/passwd", b.file("dev") + "/console");
        Json spec = shell_spec("test -c /etc/passwd && echo covered >/done; echo over >>/done");
        spec["process"]["terminal"] = true;
        Json mounts = Json::array();
        for (const Json& m : spec["mounts"]) {
            if (!m["destination"].get<std::string>().starts_with("/dev")) mounts.push_back(m);
        }
        spec["mounts"] = mounts;
        add_mount(spec, "bind", b.file("dev"), "/dev", {"bind", "dev"});
        add_mount(spec, "devpts", "devpts", "/dev/pts", {"newinstance", "ptmxmode=0666", "mode=0620"});
        run_with_terminal(b, spec);
        return file_shows(b.rootfs + "/done", "covered");
    });
}

// CVE-2025-52881: what the runtime writes to a sysctl goes to a file that a volume has put in its place.
TEST_F(Attacks, ASysctlIsAFileOfAVolume) {
    expect_defended("private-proc", [&] {
        const Bundle b = bundle();
        write_text(b.file("host"), "");
        Json spec = shell_spec("true");
        spec["linux"]["sysctl"] = {{"net.ipv4.ip_unprivileged_port_start", "777"}};
        fs::create_symlink("/proc/sys/net/ipv4/ip_unprivileged_port_start", b.rootfs + "/covered");
        add_mount(spec, "bind", b.file("host"), "/covered", {"bind"});
        const Reply reply = run_to_end(b, spec);
        EXPECT_EQ(reply.code, 0) << reply.err;
        return file_shows(b.file("host"), "777");
    });
}

// CVE-2022-0811: a setting of the whole machine, by every spelling that a check could miss. What is written
// is what is there.
TEST_F(Attacks, ASysctlOfTheMachine) {
    const std::string now = trimmed(read_file("/proc/sys/vm/stat_interval").value_or(""));
    ASSERT_FALSE(now.empty());
    for (const char* name :
         {"vm.stat_interval", "vm/stat_interval", "vm..stat_interval", ".vm.stat_interval"}) {
        SCOPED_TRACE(name);
        expect_defended("sysctl-names", [&] {
            Json spec = shell_spec("true");
            spec["linux"]["sysctl"] = {{name, now}};
            return run_to_end(spec).code == 0;
        });
    }
}

// CVE-2022-29162: capabilities that a program with file capabilities would inherit.
TEST_F(Attacks, InheritableCapabilitiesOfAnExec) {
    ORLOP_OCI_LACKED_BY("crun", "an empty inheritable set with --cap");
    expect_defended("inheritable", [&] {
        const Bundle b = launch(sleeper_spec());
        const Reply reply = exec(b, "grep CapInh /proc/self/status", {"--cap", "CAP_NET_ADMIN"});
        EXPECT_EQ(reply.code, 0) << reply.err;
        (void)oci({"delete", "--force", b.id});
        return trimmed(reply.out) != "CapInh:\t0000000000000000";
    });
}

// CVE-2024-40635: a user whose number wraps around to root, or is the kernel's "leave it".
TEST_F(Attacks, AUserWhoseNumberWrapsAroundToRoot) {
    for (const char* user : {"4294967295", "4294967296", "18446744073709551616"}) {
        SCOPED_TRACE(user);
        expect_defended("id-range", [&] {
            const Bundle b = launch(sleeper_spec());
            const Reply reply = exec(b, "id -u; id -g", {"--user", user});
            (void)oci({"delete", "--force", b.id});
            return reply.code == 0 && reply.out.find("0\n") != std::string::npos;
        });
    }
}

// CVE-2022-2995 and before it: groups of whoever started the runtime open a file to a user without any.
TEST_F(Attacks, GroupsOfTheCallerStay) {
    constexpr gid_t kGroup = 4242;
    expect_defended("groups", [&] {
        const Bundle b = bundle();
        const std::string secret = b.rootfs + "/etc/secret";
        write_text(secret, "of the group", 0640);
        EXPECT_EQ(chown(secret.c_str(), 0, kGroup), 0);
        Json spec = shell_spec("cat /etc/secret");
        spec["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
        set_capabilities(spec, {});
        gid_t before[64];
        const int count = getgroups(64, before);
        EXPECT_GE(count, 0);
        EXPECT_EQ(setgroups(1, &kGroup), 0);
        const Reply reply = run_to_end(b, spec);
        EXPECT_EQ(setgroups(static_cast<size_t>(std::max(count, 0)), before), 0);
        return reply.out == "of the group";
    });
}

// CVE-2022-0492, CVE-2023-25809: cgroups that root of the container can write to, without and with a cgroup
// namespace.
TEST_F(Attacks, CgroupsAreWritable) {
    for (const bool own_namespace : {false, true}) {
        SCOPED_TRACE(own_namespace ? "own cgroup namespace" : "the host's cgroup namespace");
        expect_defended("cgroup-readonly", [&] {
            Json spec = shell_spec(
                "find /sys/fs/cgroup -name release_agent -o -name notify_on_release -o -name cgroup.procs |\n"
                "while read -r f; do cat $f >/tmp/old && cat /tmp/old >$f && echo wrote $f; done "
                "2>/dev/null\n"
                "find /sys/fs/cgroup -type d -maxdepth 2 |\n"
                "while read -r d; do mkdir $d/made && rmdir $d/made && echo made $d/made; done 2>/dev/null\n"
                "test -d /sys/fs/cgroup && echo looked");
            add_mount(spec, "cgroup", "cgroup", "/sys/fs/cgroup", {"nosuid", "noexec", "nodev", "ro"});
            if (own_namespace) set_namespace(spec, "cgroup");
            const std::string out = run_to_end(spec).out;
            EXPECT_NE(out.find("looked"), std::string::npos) << out;
            return out.find("wrote") != std::string::npos || out.find("made") != std::string::npos;
        });
    }
}

// CVE-2021-41103: a user of the host reads what the runtime keeps of a container.
TEST_F(Attacks, AUserOfTheHostReadsTheState) {
    const auto as_nobody = [](const std::string& path) {
        return run(
            {"/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/bin/cat", path});
    };
    const std::string root = runtime().root();
    for (fs::path up = root; up != "/"; up = up.parent_path()) {
        struct stat st {};
        ASSERT_EQ(stat(up.c_str(), &st), 0);
        if ((st.st_mode & 0001) == 0) {
            ASSERT_EQ(chmod(up.c_str(), st.st_mode | 0011), 0);
        }
    }
    write_text(root + "/control", "readable");
    EXPECT_EQ(as_nobody(root + "/control").out, "readable");
    expect_defended("state-modes", [&] {
        const Bundle b = launch(sleeper_spec());
        const bool read = as_nobody(root + "/" + b.id + "/state.json").ok() ||
                          as_nobody(root + "/" + b.id + "/config.json").ok();
        (void)oci({"delete", "--force", b.id});
        return read;
    });
    fs::remove(root + "/control");
    EXPECT_EQ(chmod(root.c_str(), 0700), 0);
}

}  // namespace
}  // namespace orlop::it
