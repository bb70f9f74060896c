// Attacks that other runtimes fell to (docs/LAUNCH.md names the defences). Each is mounted twice: against the
// runtime under test, where it has to fail, and against orlop-oci-weak with just that defence left out
// (base/weak.h), where it has to succeed, or the test would see nothing.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "base/dir.h"
#include "oci/harness/oci_test.h"

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

}  // namespace
}  // namespace orlop::it
