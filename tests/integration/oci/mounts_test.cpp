// mounts and their options, the root and its propagation, masked and read-only paths.
#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/dir.h"
#include "oci/harness/oci_test.h"

namespace orlop::it {
namespace {

// What /proc/self/mountinfo says of a mount: its options, then its propagation.
constexpr const char* kShow =
    "awk '$5==\"/m\"{o=$6; p=\"\"; for(i=7;$i!=\"-\";i++) p=p\" \"$i; print o p}' /proc/self/mountinfo";

class Mounts : public OciTest {
  protected:
    // A directory of the host with a file and a tmpfs mounted below it, of this test's own.
    std::string shared(const Bundle& b, bool with_submount = false) {
        const std::string dir = b.file("shared");
        EXPECT_TRUE(make_dirs(dir + "/sub"));
        EXPECT_EQ(mount(dir.c_str(), dir.c_str(), nullptr, MS_BIND, nullptr), 0);
        EXPECT_EQ(mount(nullptr, dir.c_str(), nullptr, MS_SHARED, nullptr), 0);
        mounted_.push_back(dir);
        if (with_submount) {
            EXPECT_EQ(mount("tmpfs", (dir + "/sub").c_str(), "tmpfs", 0, nullptr), 0);
            mounted_.push_back(dir + "/sub");
        }
        write_text(dir + "/file", "content");
        return dir;
    }
    void TearDown() override {
        for (auto at = mounted_.rbegin(); at != mounted_.rend(); ++at) umount2(at->c_str(), MNT_DETACH);
        OciTest::TearDown();
    }
    std::vector<std::string> mounted_;

    // The /m line of a container with a bind of the shared directory with these options.
    std::string seen(std::vector<std::string> options, const std::string& script = kShow,
                     bool with_submount = false) {
        const Bundle b = bundle();
        Json spec = shell_spec(script);
        options.insert(options.begin(), "rbind");
        add_mount(spec, "bind", shared(b, with_submount), "/m", options);
        const Reply reply = run_to_end(b, spec);
        EXPECT_EQ(reply.code, 0) << reply.err;
        return trimmed(reply.out);
    }
};

bool has(const std::string& options, const std::string& option) {
    return (" " + options + ",").find("," + option + ",") != std::string::npos ||
           (" " + options).find(" " + option + ",") != std::string::npos ||
           (" " + options + " ").find("," + option + " ") != std::string::npos;
}

TEST_F(Mounts, OptionsOfABindAreThoseOfTheMount) {
    const std::string all = seen({"ro", "nosuid", "nodev", "noexec", "noatime"});
    for (const char* option : {"ro", "nosuid", "nodev", "noexec", "noatime"})
        EXPECT_TRUE(has(all, option)) << option << " in " << all;
    EXPECT_TRUE(has(seen({"nodiratime"}), "nodiratime"));
}

TEST_F(Mounts, OptionsOfAFilesystemAreThoseOfTheMount) {
    Json spec = shell_spec(std::string(kShow) + "; df -k /m | tail -1 | awk '{print $2}'; stat -c %a /m");
    add_mount(spec, "tmpfs", "tmpfs", "/m",
              {"noexec", "nosuid", "nodev", "size=640k", "mode=0710", "relatime"});
    const std::string all = output_of(spec);
    for (const char* option : {"nosuid", "nodev", "noexec"}) EXPECT_TRUE(has(all, option)) << all;
    EXPECT_NE(all.find("\n640\n710"), std::string::npos) << all;
}

TEST_F(Mounts, LaterOptionsWin) {
    ORLOP_OCI_LACKED_BY("crun", "clearing options again");
    const std::string all = seen({"ro", "rw", "noexec", "exec"});
    EXPECT_TRUE(has(all, "rw")) << all;
    EXPECT_FALSE(has(all, "noexec")) << all;
}

TEST_F(Mounts, NosymfollowRefusesSymlinks) {
    ORLOP_OCI_LACKED_BY("runc", "nosymfollow");
    ORLOP_OCI_LACKED_BY("crun", "nosymfollow on this kernel's mount call");
    const std::string all = seen({"nosymfollow"}, "ln -s file /m/link; cat /m/link 2>&1; cat /m/file");
    EXPECT_NE(all.find("symbolic"), std::string::npos) << all;
    EXPECT_NE(all.find("content"), std::string::npos) << all;
}

TEST_F(Mounts, ReadOnlyRefusesWrites) {
    EXPECT_NE(seen({"ro"}, "touch /m/new 2>&1 || true").find("Read-only"), std::string::npos);
}

TEST_F(Mounts, ReadOnlyAloneLeavesASubmountWritable) {
    EXPECT_EQ(seen({"ro"}, "touch /m/sub/x && echo yes", true), "yes");
}

TEST_F(Mounts, RroIsReadOnlyWithItsSubmounts) {
    EXPECT_NE(seen({"rro"}, "touch /m/sub/x 2>&1; touch /m/x 2>&1; true", true).find("sub/x: Read-only"),
              std::string::npos);
}

TEST_F(Mounts, RecursiveOptionsReachTheSubmounts) {
    const std::string all =
        seen({"rnosuid", "rnodev", "rnoexec"}, "awk '$5==\"/m/sub\"{print $6}' /proc/self/mountinfo", true);
    for (const char* option : {"nosuid", "nodev", "noexec"}) EXPECT_TRUE(has(all, option)) << all;
}

TEST_F(Mounts, PropagationIsThatOfTheOption) {
    ORLOP_OCI_LACKED_BY("crun", "propagation below a private root");
    EXPECT_NE(seen({"rslave"}).find("master:"), std::string::npos);
    EXPECT_NE(seen({"rshared"}).find("shared:"), std::string::npos);
    EXPECT_NE(seen({"unbindable"}).find("unbindable"), std::string::npos);
    const std::string own = seen({"rprivate"});
    EXPECT_EQ(own.find("shared:"), std::string::npos) << own;
    EXPECT_EQ(own.find("master:"), std::string::npos) << own;
}

class RealPropagation : public Mounts, public ::testing::WithParamInterface<const char*> {};

TEST_P(RealPropagation, MountsOfTheHostArriveWhereTheyShould) {
    const Bundle b = bundle();
    const std::string dir = shared(b);
    Json spec = sleeper_spec();
    add_mount(spec, "bind", dir, "/m", {"rbind", GetParam()});
    if (GetParam() != std::string("rprivate")) spec["linux"]["rootfsPropagation"] = GetParam();
    ASSERT_EQ(create(b, spec).code, 0) << trimmed(*read_file(b.log()));
    ASSERT_EQ(oci({"start", b.id}).code, 0);
    ASSERT_EQ(mount("tmpfs", (dir + "/sub").c_str(), "tmpfs", 0, nullptr), 0);
    mounted_.push_back(dir + "/sub");
    write_text(dir + "/sub/late", "arrived");
    const Reply reply = exec(b, "cat /m/sub/late");
    EXPECT_EQ(reply.out == "arrived", GetParam() != std::string("rprivate")) << reply.out << reply.err;
}

TEST_P(RealPropagation, MountsOfTheContainerLeaveOnlyWhenShared) {
    const Bundle b = bundle();
    const std::string dir = shared(b);
    Json spec = shell_spec("mount -t tmpfs tmpfs /m/sub && touch /m/sub/made");
    set_capabilities(spec, {"CAP_SYS_ADMIN"});
    add_mount(spec, "bind", dir, "/m", {"rbind", GetParam()});
    spec["linux"]["rootfsPropagation"] = GetParam();
    const Reply reply = run_to_end(b, spec);
    EXPECT_EQ(reply.code, 0) << reply.err;
    const bool arrived = std::filesystem::exists(dir + "/sub/made");
    EXPECT_EQ(arrived, GetParam() == std::string("rshared"));
    if (arrived) mounted_.push_back(dir + "/sub");
}

INSTANTIATE_TEST_SUITE_P(, RealPropagation, ::testing::Values("rshared", "rslave", "rprivate"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_F(Mounts, RootfsPropagationIsSeenInside) {
    ORLOP_OCI_LACKED_BY("runc", "shared and unbindable as the root's (1.1)");
    const auto root_line = [this](const char* propagation) {
        Json spec = shell_spec("awk '$5==\"/\"{for(i=7;$i!=\"-\";i++) print $i}' /proc/self/mountinfo");
        spec["linux"]["rootfsPropagation"] = propagation;
        return output_of(spec);
    };
    EXPECT_NE(root_line("shared").find("shared:"), std::string::npos);
    EXPECT_NE(root_line("unbindable").find("unbindable"), std::string::npos);
    EXPECT_EQ(root_line("private"), "");
}

TEST_F(Mounts, TmpcopyupFillsATmpfsWithTheImagesFiles) {
    const Bundle b = bundle();
    ASSERT_TRUE(make_dirs(b.rootfs + "/m/deep"));
    write_text(b.rootfs + "/m/deep/file", "from the image", 0640);
    Json spec = shell_spec("cat /m/deep/file; stat -c ' %a' /m/deep/file; touch /m/new; stat -f -c %T /m");
    add_mount(spec, "tmpfs", "tmpfs", "/m", {"tmpcopyup"});
    const Reply reply = run_to_end(b, spec);
    EXPECT_EQ(reply.out, "from the image 640\ntmpfs\n") << reply.err;
    EXPECT_FALSE(std::filesystem::exists(b.rootfs + "/m/new"));
}

TEST_F(Mounts, AFileIsBoundOnAFileThatIsMade) {
    const Bundle b = bundle();
    write_text(b.file("hosts"), "bound");
    Json spec = shell_spec("cat /etc/deep/hosts");
    add_mount(spec, "bind", b.file("hosts"), "/etc/deep/hosts", {"bind", "ro"});
    EXPECT_EQ(run_to_end(b, spec).out, "bound");
}

TEST_F(Mounts, ATargetThroughASymlinkStaysInTheRoot) {
    const Bundle b = bundle();
    const std::string trap = b.file("outside");
    ASSERT_TRUE(make_dirs(trap));
    std::filesystem::create_symlink(trap, b.rootfs + "/m");
    Json spec = shell_spec("true");
    add_mount(spec, "tmpfs", "tmpfs", "/m/x", {});
    const Reply reply = run_to_end(b, spec);
    EXPECT_FALSE(std::filesystem::exists(trap + "/x"));
    // crun refuses, the others resolve inside the root
    EXPECT_EQ(reply.code == 0, std::filesystem::exists(b.rootfs + trap + "/x")) << reply.err;
}

TEST_F(Mounts, AMissingSourceIsRefusedByName) {
    const Bundle b = bundle();
    Json spec = shell_spec("true");
    add_mount(spec, "bind", "/no/such/source", "/m", {"bind"});
    const Reply reply = run_to_end(b, spec);
    EXPECT_NE(reply.code, 0);
    EXPECT_NE(reply.err.find("/no/such/source"), std::string::npos) << reply.err;
    expect_nothing_left(b);
}

TEST_F(Mounts, AReadOnlyRootRefusesWrites) {
    Json spec = shell_spec("touch /x 2>&1; touch /dev/shm/x && echo shm");
    spec["root"]["readonly"] = true;
    const std::string all = output_of(spec);
    EXPECT_NE(all.find("Read-only"), std::string::npos) << all;
    EXPECT_NE(all.find("shm"), std::string::npos) << all;
}

TEST_F(Mounts, MaskedPathsShowNothing) {
    Json spec = shell_spec(
        "wc -c </proc/meminfo; ls /sys/firmware | wc -l; wc -c </etc/motd; touch /sys/firmware/x "
        "2>/dev/null; "
        "echo $?");
    spec["linux"]["maskedPaths"] = {"/proc/meminfo", "/sys/firmware", "/etc/motd", "/no/such/path"};
    const Bundle b = bundle();
    write_text(b.rootfs + "/etc/motd", "hidden");
    EXPECT_EQ(run_to_end(b, spec).out, "0\n0\n0\n1\n");
}

TEST_F(Mounts, ReadonlyPathsRefuseWrites) {
    Json spec = shell_spec("touch /etc/x 2>&1; echo a >/proc/sys/kernel/hostname; touch /tmp/x && echo tmp");
    spec["linux"]["readonlyPaths"] = {"/etc", "/proc/sys", "/no/such/path"};
    const Reply reply = run_to_end(spec);
    EXPECT_NE(reply.out.find("/etc/x: Read-only"), std::string::npos) << reply.out;
    EXPECT_NE(reply.err.find("Read-only"), std::string::npos) << reply.err;
    EXPECT_NE(reply.out.find("tmp"), std::string::npos);
}

TEST_F(Mounts, NoPivotStillHidesTheHost) {
    const Reply reply =
        run_to_end(shell_spec("ls /; grep -c . /proc/self/mountinfo; ls -d /work /usr 2>&1"), {"--no-pivot"});
    EXPECT_NE(reply.out.find("www"), std::string::npos) << reply.err;
    EXPECT_NE(reply.out.find("/usr: No such file"), std::string::npos) << reply.out;
}

TEST_F(Mounts, TheHostsMountsAreGone) {
    EXPECT_EQ(output_of(shell_spec(
                  "awk '{print $5}' /proc/self/mountinfo | grep -v -E '^/(proc|sys|dev|$)'; true")),
              "");
}

TEST_F(Mounts, TheCgroupsOfTheHostAreShownReadOnly) {
    Json spec = shell_spec(
        "grep ' - cgroup' /proc/self/mountinfo | cut -d' ' -f6 | grep -v ^ro; "
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null");
    set_namespace(spec, "cgroup");
    add_mount(spec, "cgroup", "cgroup", "/sys/fs/cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"});
    spec["linux"]["resources"]["memory"]["limit"] = 50331648;
    const Reply reply = run_to_end(spec);
    EXPECT_EQ(trimmed(reply.out), "50331648") << reply.err;
}

}  // namespace
}  // namespace orlop::it
