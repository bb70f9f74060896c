#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/claim.h"
#include "cli/mounts.h"
#include "cli/pod_cgroups.h"
#include "cli/test_support.h"

namespace orlop::cli {
namespace {

namespace fs = std::filesystem;
using test::TempDir;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Claim, OnlyMarkedDirectoriesAreRemoved) {
    const TempDir dir;
    ASSERT_TRUE(claim_dir(dir / "mine", "n", {}));
    ASSERT_TRUE(claim_dir(dir / "mine", "n", {})) << "claiming again is fine";
    fs::create_directories(dir / "mine/deep/er");
    ASSERT_TRUE(purge_dir(dir / "mine", "n"));
    EXPECT_FALSE(fs::exists(dir / "mine"));
    EXPECT_TRUE(purge_dir(dir / "mine", "n")) << "missing is fine";

    fs::create_directories(dir / "docker/overlay2");
    const Status refused = purge_dir(dir / "docker", "docker");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what(), HasSubstr("refusing to remove"));
    EXPECT_TRUE(fs::exists(dir / "docker/overlay2"));
}

TEST(Claim, DirectoriesOfOthersAreRefused) {
    const TempDir dir;
    fs::create_directories(dir / "docker/overlay2");
    const Status used = claim_dir(dir / "docker", "docker", {"cni"});
    ASSERT_FALSE(used);
    EXPECT_THAT(used.error().what(),
                HasSubstr("in use by something that is not this node (it has overlay2)"));

    fs::create_directories(dir / "fresh/cni/net.d");
    EXPECT_TRUE(claim_dir(dir / "fresh", "fresh", {"cni"}));

    ASSERT_TRUE(claim_dir(dir / "a", "a", {}));
    EXPECT_FALSE(claim_dir(dir / "a", "b", {})) << "marked for another node";
    EXPECT_FALSE(purge_dir(dir / "a", "b"));

    fs::create_directory_symlink(dir / "a", dir / "link");
    EXPECT_FALSE(claim_dir(dir / "link", "a", {}));
    EXPECT_FALSE(purge_dir(dir / "link", "a"));
    EXPECT_TRUE(fs::exists(dir / "a"));
}

TEST(Mounts, ThoseBelowTheDirectoriesInTheOrderToUnmountThem) {
    const char* info =
        "22 1 0:21 / /run rw shared:5 - tmpfs tmpfs rw\n"
        "30 22 0:30 / /run/n rw - tmpfs tmpfs rw\n"
        "31 30 0:31 / /run/n/sandboxes/a\\040b/shm rw - tmpfs shm rw\n"
        "32 22 0:32 / /run/n2/x rw - tmpfs tmpfs rw\n"
        "33 1 0:33 / /var/lib/n/kubelet/pods/u/v rw master:1 - tmpfs tmpfs rw\n"
        "short line\n";
    EXPECT_THAT(mounts_below(info, {"/run/n", "/var/lib/n"}),
                ElementsAre("/var/lib/n/kubelet/pods/u/v", "/run/n/sandboxes/a b/shm", "/run/n"));
    EXPECT_THAT(mounts_below("", {"/run"}), IsEmpty());
    EXPECT_TRUE(current_mounts_below({"/"}));
}

TEST(PodCgroups, HaveTheNamesOfBothDrivers) {
    EXPECT_THAT(
        pod_cgroup_paths("a-b"),
        ElementsAre("kubepods/poda-b", "kubepods.slice/kubepods-poda_b.slice", "kubepods/burstable/poda-b",
                    "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-poda_b.slice",
                    "kubepods/besteffort/poda-b",
                    "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-poda_b.slice"));
}

TEST(PodCgroups, OnlyThoseOfTheEndedPodsGoAndTheirParentsOnlyWhenNothingIsLeft) {
    const TempDir root;
    for (const char* path : {"cpu/kubepods/burstable/podmine/container", "cpu/kubepods/burstable/podother",
                             "memory/kubepods/burstable/podmine", "memory/kubepods/besteffort"})
        fs::create_directories(root / path);
    fs::create_directory_symlink(root / "cpu", root / "cpuacct");
    const CgroupsLeft left = remove_pod_cgroups(root.path(), {"mine", "", "../../x"});
    EXPECT_THAT(left.in_use, IsEmpty());
    EXPECT_EQ(left.removed, 5);
    EXPECT_FALSE(fs::exists(root / "cpu/kubepods/burstable/podmine"));
    EXPECT_TRUE(fs::exists(root / "cpu/kubepods/burstable/podother"));
    EXPECT_FALSE(fs::exists(root / "memory/kubepods"));
}

TEST(PodCgroups, SlicesWithoutPodsAreFoundAndThoseWithPodsAreLeft) {
    const TempDir root;
    fs::create_directories(root / "cpu/kubepods.slice/kubepods-burstable.slice");
    fs::create_directories(root /
                           "memory/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podx.slice");
    EXPECT_THAT(unused_parent_slices(root.path()), ElementsAre("kubepods-burstable.slice"));
    fs::remove(root / "memory/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podx.slice");
    EXPECT_THAT(unused_parent_slices(root.path()),
                ElementsAre("kubepods-burstable.slice", "kubepods-besteffort.slice", "kubepods.slice"));
}

TEST(PodCgroups, OneThatIsInUseIsReported) {
    const TempDir root;
    fs::create_directories(root / "cpu/kubepods/podmine");
    test::write_text(root / "cpu/kubepods/podmine/file", "");  // rmdir fails, as it does with a process in it
    const CgroupsLeft left = remove_pod_cgroups(root.path(), {"mine"});
    EXPECT_THAT(left.in_use, Contains(root / "cpu/kubepods/podmine"));
    EXPECT_EQ(left.removed, 0);
}

}  // namespace
}  // namespace orlop::cli
