#include "cgroups/container.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/dir.h"
#include "cgroups/membership.h"

namespace orlop::cgroups {
namespace {

struct Place {
    const char* name;
    Version version;
    bool systemd = false;
    const char* given;
    const char* own;
    const char* path;  // nullptr: refused
    const char* unit;
};
void PrintTo(const Place& p, std::ostream* out) {
    *out << p.given;
}

class Locate : public testing::TestWithParam<Place> {};

TEST_P(Locate, IsWhereTheCallerAndTheDriverSay) {
    const Place& p = GetParam();
    Hierarchies h;
    h.version = p.version;
    const ContainerRequest request{.id = "c1", .cgroups_path = p.given, .systemd = p.systemd};
    const auto r = locate(request, h, p.own);
    if (p.path == nullptr) {
        ASSERT_FALSE(r) << r->path;
        EXPECT_EQ(r.error().kind(), Kind::Invalid);
        return;
    }
    ASSERT_TRUE(r) << r.error().what();
    EXPECT_EQ(r->path, p.path);
    EXPECT_EQ(r->unit, p.unit);
}

constexpr Version V1 = Version::V1, V2 = Version::V2;
const Place kPlaces[] = {
    {"Absolute", V2, false, "/default/c1", "/a/b", "/default/c1", ""},
    {"SlashesTwice", V2, false, "//default///c1/", "/", "/default/c1", ""},
    {"RelativeOnV1", V1, false, "x/c1", "/a/b", "/a/b/x/c1", ""},
    {"RelativeInTheRoot", V1, false, "x/c1", "/", "/x/c1", ""},
    {"RelativeOnV2IsBesideTheRuntime", V2, false, "x", "/a/b", "/a/x", ""},
    {"RelativeInTheRootOfV2", V2, false, "x", "/", "/x", ""},
    {"ChosenOnV1", V1, false, "", "/", "/orlop-oci-c1", ""},
    {"ChosenOnV2", V2, false, "", "/user.slice/s.scope", "/user.slice/orlop-oci-c1", ""},
    {"Root", V2, false, "/", "/", nullptr, ""},
    {"Upwards", V2, false, "/a/../b", "/", nullptr, ""},
    {"UpwardsRelative", V2, false, "../b", "/", nullptr, ""},
    {"ScopeInASlice", V2, true, "machine.slice:libpod:c1", "/", "/machine.slice/libpod-c1.scope",
     "libpod-c1.scope"},
    {"ScopeInADeepSlice", V1, true, "kubepods-pod1.slice:crio:c1", "/",
     "/kubepods.slice/kubepods-pod1.slice/crio-c1.scope", "crio-c1.scope"},
    {"ScopeByDefault", V2, true, "", "/", "/system.slice/orlop-c1.scope", "orlop-c1.scope"},
    {"NoSlice", V2, true, ":p:n", "/", "/system.slice/p-n.scope", "p-n.scope"},
    {"NoPrefix", V2, true, "a.slice::n", "/", "/a.slice/n.scope", "n.scope"},
    {"RootSlice", V2, true, "-.slice:p:n", "/", "/p-n.scope", "p-n.scope"},
    {"ASlice", V2, true, "a.slice:x:a-b.slice", "/", "/a.slice/a-b.slice", "a-b.slice"},
    {"NoName", V2, true, "a.slice:p:", "/", nullptr, ""},
    {"TwoParts", V2, true, "a.slice:n", "/", nullptr, ""},
    {"FourParts", V2, true, "a.slice:p:n:m", "/", nullptr, ""},
    {"PathForSystemd", V2, true, "/a/b", "/", nullptr, ""},
    {"SlashInTheName", V2, true, "a.slice:p:../n", "/", nullptr, ""},
    {"SlashInTheSlice", V2, true, "../a.slice:p:n", "/", nullptr, ""},
    {"SpaceInTheName", V2, true, "a.slice:p:n m", "/", nullptr, ""},
    {"DotsForASlice", V2, true, "..slice:p:n", "/", nullptr, ""},
};
INSTANTIATE_TEST_SUITE_P(Table, Locate, testing::ValuesIn(kPlaces),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Membership, OfEveryHierarchy) {
    const auto m = parse_memberships(
        "12:cpu,cpuacct:/a\n"
        "1:name=systemd:/user.slice\n"
        "0::/x:y\n"
        "garbage\n"
        "3:memory\n"
        "4:pids:relative");
    ASSERT_EQ(m.size(), 3u);
    EXPECT_EQ(m[0].controllers, (std::vector<std::string>{"cpu", "cpuacct"}));
    EXPECT_EQ(m[0].path, "/a");
    EXPECT_EQ(m[1].controllers, std::vector<std::string>{"name=systemd"});
    EXPECT_TRUE(m[2].controllers.empty());
    EXPECT_EQ(m[2].path, "/x:y");
}

class OwnCgroup : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/orlop-own-XXXXXX";
        proc_ = mkdtemp(name);
        std::filesystem::create_directory(proc_ + "/self");
    }
    void TearDown() override { std::filesystem::remove_all(proc_); }
    std::string of(const Hierarchies& h, const std::string& cgroup, const std::string& mountinfo) {
        const Dir dir = Dir::open(proc_ + "/self").value();
        EXPECT_TRUE(dir.write_atomic("cgroup", cgroup));
        EXPECT_TRUE(dir.write_atomic("mountinfo", mountinfo));
        return current_cgroup(h, proc_).value();
    }
    std::string proc_;
};

TEST_F(OwnCgroup, IsSeenThroughTheMount) {
    const Hierarchies v2{.version = Version::V2, .root = "/sys/fs/cgroup"};
    const std::string whole = "35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    EXPECT_EQ(of(v2, "0::/user.slice/a.scope\n", whole), "/user.slice/a.scope");
    EXPECT_EQ(of(v2, "0::/\n", whole), "/");
    const std::string part = "35 24 0:30 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    EXPECT_EQ(of(v2, "0::/docker/x\n", part), "/");
    EXPECT_EQ(of(v2, "0::/docker/x/y\n", part), "/y");
    EXPECT_EQ(of(v2, "0::/docker/xy\n", part), "/");
    EXPECT_EQ(of(v2, "0::/../out\n", whole), "/");
}

TEST_F(OwnCgroup, OnV1IsTheRootUnlessAllHierarchiesAgree) {
    Hierarchies v1{
        .version = Version::V1, .v1 = {{"cpu", "/c/cpu"}, {"memory", "/c/memory"}}, .hybrid_v2 = "/c/u"};
    EXPECT_EQ(of(v1, "2:cpu:/a/b\n1:memory:/a/b\n0::/a/b\n7:other:/z\n", ""), "/a/b");
    EXPECT_EQ(of(v1, "2:cpu:/a/b\n1:memory:/a\n0::/a/b\n", ""), "/");
}

// ---- the kernel of this machine -------------------------------------------------------------------------

class ContainerOnThisKernel : public testing::Test {
  protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "needs root";
        auto h = detect_any();
        if (!h) GTEST_SKIP() << "needs cgroups: " << h.error().what();
        hierarchies_ = *h;
        parent_ = "/orlop-oci-test-" + std::to_string(getpid());
        request_ = {.id = "c1", .cgroups_path = parent_ + "/c1"};
    }
    void TearDown() override {
        if (parent_.empty()) return;
        EXPECT_TRUE(remove_container_cgroup({parent_, ""}, "", hierarchies_));
        for (const std::string& dir : Cgroup(hierarchies_, parent_).directories())
            EXPECT_FALSE(std::filesystem::exists(dir)) << dir;
    }
    pid_t sleeper(const Cgroup& in) {
        const pid_t pid = fork();
        if (pid == 0) {
            for (;;) pause();
        }
        const auto added = in.add(pid);
        EXPECT_TRUE(added) << added.error().what();
        return pid;
    }
    Hierarchies hierarchies_;
    std::string parent_;
    ContainerRequest request_;
};

TEST_F(ContainerOnThisKernel, IsMadeInEveryHierarchyAndRemovedWithWhatRunsInIt) {
    request_.resources.pids_limit = 5;
    const auto made = create_container_cgroup(request_, hierarchies_);
    ASSERT_TRUE(made) << made.error().what();
    EXPECT_FALSE(made->hold);
    const Cgroup cgroup(hierarchies_, made->cgroup.path);
    EXPECT_TRUE(cgroup.exists());
    const pid_t pid = sleeper(cgroup);
    const auto second = create_container_cgroup(request_, hierarchies_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind(), Kind::Exists);
    ASSERT_TRUE(cgroup.child("made-by-the-container").create());
    std::thread reaper([pid] { waitpid(pid, nullptr, 0); });
    const auto removed = remove_container_cgroup(made->cgroup, "", hierarchies_);
    EXPECT_TRUE(removed) << removed.error().what();
    reaper.join();
    for (const std::string& dir : cgroup.directories()) EXPECT_FALSE(std::filesystem::exists(dir)) << dir;
    EXPECT_TRUE(remove_container_cgroup(made->cgroup, "", hierarchies_)) << "missing is fine";
}

TEST_F(ContainerOnThisKernel, AnEmptyCgroupThatWasThereIsTaken) {
    ASSERT_TRUE(Cgroup(hierarchies_, parent_ + "/c1").create());
    const auto made = create_container_cgroup(request_, hierarchies_);
    EXPECT_TRUE(made) << made.error().what();
    ASSERT_TRUE(update_container_cgroup(made->cgroup, "", hierarchies_, {.pids_limit = 7}));
    const std::string dir = Cgroup(hierarchies_, made->cgroup.path).directory_of("pids").value();
    EXPECT_EQ(read_file(dir + "/pids.max").value(), "7\n");
}

// Run by a process in a cgroup below the test's: 0 when the container's is where it should be, with its
// limit.
int make_relative(const Hierarchies& h, const std::string& expected) {
    ContainerRequest request{.id = "c2", .cgroups_path = "c2"};
    request.resources.pids_limit = 3;
    const auto made = create_container_cgroup(request, h);
    if (!made || made->cgroup.path != expected) return 1;
    const auto dir = Cgroup(h, expected).directory_of("pids");
    return dir && read_file(*dir + "/pids.max").value_or("") == "3\n" ? 0 : 2;
}

TEST_F(ContainerOnThisKernel, ARelativePathIsWhereTheRuntimeIs) {
    const Cgroup runtime(hierarchies_, parent_ + "/runtime");
    ASSERT_TRUE(runtime.create());
    const bool v2 = hierarchies_.version == Version::V2;
    const std::string expected = (v2 ? parent_ : runtime.path()) + "/c2";
    int go[2];
    ASSERT_EQ(pipe2(go, O_CLOEXEC), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        char byte = 0;
        _exit(read(go[0], &byte, 1) == 1 ? make_relative(hierarchies_, expected) : 3);
    }
    ASSERT_TRUE(runtime.add(pid));
    ASSERT_EQ(write(go[1], "x", 1), 1);
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    for (const int fd : go) close(fd);
}

TEST_F(ContainerOnThisKernel, WhatCannotBeLimitedIsNotMade) {
    request_.resources.hugepages = {{"3MB", 1}};
    ASSERT_FALSE(create_container_cgroup(request_, hierarchies_));
    for (const std::string& dir : Cgroup(hierarchies_, parent_ + "/c1").directories())
        EXPECT_FALSE(std::filesystem::exists(dir)) << dir;
}

TEST_F(ContainerOnThisKernel, FreezesAndThawsAndDiesFrozen) {
    const auto made = create_container_cgroup(request_, hierarchies_);
    ASSERT_TRUE(made) << made.error().what();
    const Cgroup cgroup(hierarchies_, made->cgroup.path);
    const pid_t pid = sleeper(cgroup);
    EXPECT_FALSE(cgroup.frozen().value());
    for (int i = 0; i < 2; ++i) {
        const auto frozen = cgroup.freeze(std::chrono::seconds(10));
        ASSERT_TRUE(frozen) << frozen.error().what();
        EXPECT_TRUE(cgroup.frozen().value());
        const auto thawed = cgroup.thaw(std::chrono::seconds(10));
        ASSERT_TRUE(thawed) << thawed.error().what();
        EXPECT_FALSE(cgroup.frozen().value());
    }
    ASSERT_TRUE(cgroup.freeze(std::chrono::seconds(10)));
    std::thread reaper([pid] { waitpid(pid, nullptr, 0); });
    const auto killed = cgroup.kill_all(std::chrono::seconds(10));
    EXPECT_TRUE(killed) << killed.error().what();
    reaper.join();
}

TEST_F(ContainerOnThisKernel, AFrozenAncestorKeepsItFrozen) {
    const auto made = create_container_cgroup(request_, hierarchies_);
    ASSERT_TRUE(made) << made.error().what();
    const Cgroup parent(hierarchies_, parent_);
    ASSERT_TRUE(parent.freeze(std::chrono::seconds(10)));
    const auto thawed = Cgroup(hierarchies_, made->cgroup.path).thaw(std::chrono::milliseconds(5));
    ASSERT_FALSE(thawed);
    EXPECT_EQ(thawed.error().kind(), Kind::TimedOut);
    EXPECT_TRUE(parent.thaw(std::chrono::seconds(10)));
}

}  // namespace
}  // namespace orlop::cgroups
