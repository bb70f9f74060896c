#include <linux/mount.h>

#include <algorithm>

#include "runtime/plan/test_request.h"

namespace orlop::plan {
namespace {

using launch::Mount;
using launch::Propagation;
using testing::ElementsAre;
using testing::Pair;

std::vector<std::string> targets(const std::vector<Mount>& mounts) {
    std::vector<std::string> out;
    for (const Mount& mount : mounts) out.push_back(mount.target);
    return out;
}

Mount at(const std::vector<Mount>& mounts, const std::string& target) {
    const auto found =
        std::find_if(mounts.begin(), mounts.end(), [&](const Mount& m) { return m.target == target; });
    EXPECT_NE(found, mounts.end()) << target;
    return found == mounts.end() ? Mount{} : *found;
}

TEST(Mounts, AreTheUsualOnesInOrder) {
    const auto mounts = TestRequest().good_plan().mounts;
    EXPECT_THAT(targets(mounts),
                ElementsAre("/proc", "/dev", "/dev/pts", "/dev/mqueue", "/sys", "/sys/fs/cgroup",
                            "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/dev/shm"));
    const uint64_t hard = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    EXPECT_EQ(at(mounts, "/proc").attributes, hard);
    EXPECT_EQ(at(mounts, "/dev").attributes, uint64_t{MOUNT_ATTR_NOSUID} | MOUNT_ATTR_STRICTATIME);
    EXPECT_THAT(at(mounts, "/dev").options, ElementsAre(Pair("mode", "755"), Pair("size", "65536k")));
    EXPECT_THAT(at(mounts, "/dev/pts").options, ElementsAre(Pair("newinstance", ""), Pair("ptmxmode", "0666"),
                                                            Pair("mode", "0620"), Pair("gid", "5")));
    EXPECT_EQ(at(mounts, "/sys").attributes, hard | MOUNT_ATTR_RDONLY);
    EXPECT_EQ(at(mounts, "/sys/fs/cgroup").attributes, hard | MOUNT_ATTR_RDONLY);
    EXPECT_EQ(at(mounts, "/sys/fs/cgroup").type, "cgroup");
    EXPECT_EQ(at(mounts, "/dev/shm").source, "/run/pod/shm");
    EXPECT_EQ(at(mounts, "/dev/shm").attributes, hard);
    EXPECT_EQ(at(mounts, "/etc/hosts").source, "/run/pod/hosts");
    EXPECT_FALSE(at(mounts, "/etc/hosts").make_directory);
    EXPECT_EQ(at(mounts, "/etc/hosts").attributes, 0u);
}

TEST(Mounts, LetPrivilegedContainersWriteToSysfsAndCgroups) {
    TestRequest t;
    t.make_privileged();
    const auto mounts = t.good_plan().mounts;
    EXPECT_EQ(at(mounts, "/sys").attributes & MOUNT_ATTR_RDONLY, 0u);
    EXPECT_EQ(at(mounts, "/sys/fs/cgroup").attributes & MOUNT_ATTR_RDONLY, 0u);
}

TEST(Mounts, FollowAReadOnlyRootWithTheSandboxFiles) {
    TestRequest t;
    t.security().set_readonly_rootfs(true);
    const auto plan = t.good_plan();
    EXPECT_TRUE(plan.root.readonly);
    EXPECT_EQ(at(plan.mounts, "/etc/hosts").attributes, uint64_t{MOUNT_ATTR_RDONLY});
    EXPECT_EQ(at(plan.mounts, "/dev/shm").attributes & MOUNT_ATTR_RDONLY, 0u);
}

TEST(Mounts, UseTheHostsSharedMemoryWithItsIpc) {
    TestRequest t;
    t.pod_security().mutable_namespace_options()->set_ipc(cri::NODE);
    EXPECT_EQ(at(t.good_plan().mounts, "/dev/shm").source, "/dev/shm");
}

TEST(Mounts, PutParentsBeforeChildrenAndKeepTheOrderOtherwise) {
    TestRequest t;
    t.add_mount("/h/1", "/data/a/b");
    t.add_mount("/h/2", "/data");
    t.add_mount("/h/3", "/data/x");
    t.add_mount("/h/4", "/data/a");
    auto all = targets(t.good_plan().mounts);
    all.erase(all.begin(), std::find(all.begin(), all.end(), "/data"));
    EXPECT_THAT(all, ElementsAre("/data", "/data/x", "/data/a", "/etc/hostname", "/etc/hosts",
                                 "/etc/resolv.conf", "/dev/shm", "/data/a/b"));
}

TEST(Mounts, GiveWayToTheContainersOwn) {
    TestRequest t;
    t.add_mount("/h/hosts", "/etc//hosts/");
    t.add_mount("/h/shm", "/dev/shm");
    t.add_mount("/h/cg", "/sys/fs/cgroup");
    const auto mounts = t.good_plan().mounts;
    EXPECT_EQ(at(mounts, "/etc/hosts").source, "/h/hosts");
    EXPECT_EQ(at(mounts, "/dev/shm").source, "/h/shm");
    EXPECT_EQ(at(mounts, "/sys/fs/cgroup").source, "/h/cg");
    const auto all = targets(mounts);
    for (const char* target : {"/etc/hosts", "/dev/shm", "/sys/fs/cgroup"}) {
        EXPECT_EQ(std::count(all.begin(), all.end(), target), 1) << target;
    }
}

TEST(Mounts, LeaveADevOfTheContainersOwnAlone) {
    TestRequest t;
    t.add_mount("/dev", "/dev");
    const auto plan = t.good_plan();
    const auto all = targets(plan.mounts);
    EXPECT_EQ(std::count(all.begin(), all.end(), "/dev/pts"), 0);
    EXPECT_EQ(at(plan.mounts, "/dev").type, "bind");
    EXPECT_TRUE(plan.devices.empty());
}

TEST(Mounts, CarryTheRequestedFlags) {
    TestRequest t;
    cri::Mount& a = t.add_mount("/h/a", "/a");
    a.set_readonly(true);
    a.set_recursive_read_only(true);
    cri::Mount& b = t.add_mount("/h/b", "/b");
    b.set_propagation(cri::PROPAGATION_BIDIRECTIONAL);
    b.add_mount_options("noexec");
    b.add_mount_options("nodev");
    t.add_mount("/h/c", "/c").set_propagation(cri::PROPAGATION_HOST_TO_CONTAINER);
    t.mount_is_directory = {true, false, true};
    const auto mounts = t.good_plan().mounts;
    EXPECT_EQ(at(mounts, "/a").recursive_attributes, MOUNT_ATTR_RDONLY);
    EXPECT_EQ(at(mounts, "/a").attributes, uint64_t{MOUNT_ATTR_RDONLY});
    EXPECT_EQ(at(mounts, "/a").propagation, Propagation::Private);
    EXPECT_TRUE(at(mounts, "/a").make_directory);
    EXPECT_EQ(at(mounts, "/b").propagation, Propagation::Shared);
    EXPECT_EQ(at(mounts, "/b").attributes, uint64_t{MOUNT_ATTR_NOEXEC} | MOUNT_ATTR_NODEV);
    EXPECT_FALSE(at(mounts, "/b").make_directory);
    EXPECT_EQ(at(mounts, "/c").propagation, Propagation::Slave);
}

TEST(Mounts, AreRefusedByField) {
    const struct {
        const char* name;
        void (*bend)(cri::Mount&);
        Kind kind;
        const char* words;
    } rows[] = {
        {"relative target", [](cri::Mount& m) { m.set_container_path("a"); }, Kind::Invalid,
         "mounts[0].container_path"},
        {"the root", [](cri::Mount& m) { m.set_container_path("/a/.."); }, Kind::Invalid,
         "mounts[0].container_path"},
        {"no source", [](cri::Mount& m) { m.set_host_path(""); }, Kind::Invalid, "mounts[0].host_path"},
        {"a newline", [](cri::Mount& m) { m.set_host_path("/a\nb"); }, Kind::Invalid, "mounts[0].host_path"},
        {"recursive but writable", [](cri::Mount& m) { m.set_recursive_read_only(true); }, Kind::Invalid,
         "recursive_read_only: needs readonly"},
        {"recursive but propagated",
         [](cri::Mount& m) {
             m.set_readonly(true);
             m.set_recursive_read_only(true);
             m.set_propagation(cri::PROPAGATION_HOST_TO_CONTAINER);
         },
         Kind::Invalid, "recursive_read_only: needs PROPAGATION_PRIVATE"},
        {"unknown propagation",
         [](cri::Mount& m) { m.set_propagation(static_cast<cri::MountPropagation>(9)); }, Kind::Invalid,
         "mounts[0].propagation"},
        {"unknown option", [](cri::Mount& m) { m.add_mount_options("suid"); }, Kind::Invalid,
         "mounts[0].mount_options: \"suid\""},
        {"an image",
         [](cri::Mount& m) {
             m.set_host_path("");
             m.mutable_image()->set_image("sha256:1");
         },
         Kind::Invalid, "mounts[0].readonly: an image"},
        {"a part of no image", [](cri::Mount& m) { m.set_image_sub_path("a"); }, Kind::Invalid,
         "mounts[0].image_sub_path"},
        {"an image and a path", [](cri::Mount& m) { m.mutable_image()->set_image("sha256:1"); },
         Kind::Invalid, "both host_path and image"},
        {"only users mapped", [](cri::Mount& m) { m.add_uidmappings()->set_length(1); }, Kind::Invalid,
         "mounts[0].gidMappings"},
        {"an empty range",
         [](cri::Mount& m) {
             m.add_uidmappings();
             m.add_gidmappings()->set_length(1);
         },
         Kind::Invalid, "mounts[0].uidMappings"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        TestRequest t;
        row.bend(t.add_mount("/h", "/a"));
        expect_error(t.plan(), row.kind, row.words);
    }
}

TEST(Mounts, MayMapTheirOwners) {
    TestRequest t;
    cri::Mount& m = t.add_mount("/h", "/a");
    cri::IDMapping range;
    range.set_host_id(65536);
    range.set_length(65536);
    *m.add_uidmappings() = range;
    *m.add_gidmappings() = range;
    const Mount mount = at(t.good_plan().mounts, "/a");
    EXPECT_TRUE(mount.idmap);
    EXPECT_FALSE(mount.recursive_idmap) << "what is mounted below may not support it";
    ASSERT_EQ(mount.uid_map.size(), 1u);
    EXPECT_EQ(mount.uid_map[0].outside, 65536u);
    EXPECT_EQ(mount.uid_map[0].inside, 0u);
    EXPECT_EQ(mount.gid_map[0].size, 65536u);
}

TEST(Mounts, SayThatRecursiveReadOnlyIsNotThere) {
    TestRequest t;
    cri::Mount& m = t.add_mount("/h", "/a");
    m.set_readonly(true);
    m.set_recursive_read_only(true);
    t.facts.recursive_read_only = false;
    expect_error(t.plan(), Kind::Unimplemented, "RROUnsupported");
}

class ImageVolume : public testing::Test {
  protected:
    ImageVolume() {
        mount.set_readonly(true);
        mount.mutable_image()->set_image("sha256:1");
        layers[0] = {"/layers/y", "/layers/x"};
    }
    Result<launch::LaunchPlan> plan() {
        ContainerRequest request = t.request();
        request.image_layers = layers;
        return plan_container(request, t.facts);
    }
    TestRequest t;
    cri::Mount& mount = t.add_mount("", "/data");
    std::map<int, std::vector<std::string>> layers;
};

TEST_F(ImageVolume, IsItsLayersReadOnly) {
    const auto result = plan();
    ASSERT_TRUE(result) << result.error().what();
    const Mount volume = at(result->mounts, "/data");
    EXPECT_EQ(volume.type, "image");
    EXPECT_EQ(volume.source, "");
    EXPECT_EQ(volume.attributes, uint64_t{MOUNT_ATTR_RDONLY} | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    EXPECT_THAT(volume.options,
                ElementsAre(testing::Pair("lowerdir", "/layers/y"), testing::Pair("lowerdir", "/layers/x")));
}

TEST_F(ImageVolume, MayBeAPartThatStaysInside) {
    mount.set_image_sub_path("../etc//x/");
    const auto result = plan();
    ASSERT_TRUE(result) << result.error().what();
    EXPECT_EQ(at(result->mounts, "/data").source, "/etc/x");
}

TEST_F(ImageVolume, IsRefusedWhenItCannotBeReadOnlyOrThere) {
    mount.set_propagation(cri::PROPAGATION_BIDIRECTIONAL);
    expect_error(plan(), Kind::Invalid, "mounts[0].propagation");
    mount.clear_propagation();
    layers.clear();
    expect_error(plan(), Kind::Invalid, "mounts[0].image");
    layers[0] = {"/layers/x"};
    mount.set_host_path("/h");
    expect_error(plan(), Kind::Invalid, "both host_path and image");
}

TEST(Root, IsTheImagesLayersUnderTheContainersOwn) {
    TestRequest t;
    const auto plan = t.good_plan();
    EXPECT_THAT(plan.root.lowers, ElementsAre("/layers/b", "/layers/a"));
    EXPECT_EQ(plan.root.upper, "/c1/upper");
    EXPECT_EQ(plan.root.work, "/c1/work");
    EXPECT_EQ(plan.staging_dir, "/c1/root");
    EXPECT_FALSE(plan.root.readonly);
    EXPECT_EQ(plan.id, "c1");
}

TEST(CgroupMounts, AreShownOnVersion1Only) {
    TestRequest t;
    t.facts.v1_mounts = {{"memory", "memory"}};
    EXPECT_TRUE(t.good_plan().cgroup_mounts.empty());
    t.facts.cgroup_v2 = false;
    EXPECT_EQ(t.good_plan().cgroup_mounts.size(), 1u);
}

}  // namespace
}  // namespace orlop::plan
