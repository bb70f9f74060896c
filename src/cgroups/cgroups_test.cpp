#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "base/dir.h"
#include "cgroups/devices_program.h"
#include "cgroups/driver.h"
#include "cgroups/mountinfo.h"

namespace orlop::cgroups {
namespace {

TEST(Mountinfo, SplitsFieldsAndUndoesEscapes) {
    const auto mounts = parse_mountinfo(
        "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
        "32 31 0:29 / /sys/fs/cgroup/cpu\\040x rw shared:9 master:1 - cgroup cgroup rw,cpu,cpuacct\n"
        "garbage\n"
        "41 31 0:38 /pod /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n");
    ASSERT_EQ(mounts.size(), 3u);
    EXPECT_EQ(mounts[1].mount_point, "/sys/fs/cgroup/cpu x");
    EXPECT_EQ(mounts[1].super_options, "rw,cpu,cpuacct");
    EXPECT_EQ(mounts[2].type, "cgroup2");
    EXPECT_EQ(mounts[2].root, "/pod");
    const auto some = parse_mountinfo(
        "31 23 0:28 / /a rw - tmpfs tmpfs rw\n32 31 0:29 / /b rw shared:9 - cgroup cgroup rw,cpu", "cgroup");
    ASSERT_EQ(some.size(), 1u);
    EXPECT_EQ(some[0].mount_point, "/b");
}

TEST(Weight, FollowsTheCurveThroughTheDefaults) {
    EXPECT_EQ(weight_from_shares(2), 1u);
    EXPECT_EQ(weight_from_shares(1024), 100u);
    EXPECT_EQ(weight_from_shares(262144), 10000u);
    EXPECT_EQ(weight_from_shares(0), 1u);
    EXPECT_EQ(weight_from_shares(1u << 30), 10000u);
    EXPECT_LT(weight_from_shares(512), weight_from_shares(1024));
}

TEST(SliceNames, FollowSystemdSlice) {
    EXPECT_EQ(slice_unit_from_path("/kubepods/burstable/pod1-2").value(), "kubepods-burstable-pod1_2.slice");
    EXPECT_EQ(slice_unit_from_path("/").value(), "-.slice");
    EXPECT_FALSE(slice_unit_from_path("/a/../b"));
    EXPECT_EQ(slice_path_from_unit("kubepods-burstable.slice").value(),
              "/kubepods.slice/kubepods-burstable.slice");
    EXPECT_EQ(slice_path_from_unit("system.slice").value(), "/system.slice");
    EXPECT_EQ(slice_path_from_unit("-.slice").value(), "");
    for (const char* bad : {"a--b.slice", "-a.slice", "a-.slice", "a.scope", "/a.slice", ".slice"}) {
        EXPECT_FALSE(slice_path_from_unit(bad)) << bad;
    }
}

TEST(DeviceProgram, AsksLaterRulesFirstAndDeniesTheRest) {
    const auto none = device_program({}).value();
    ASSERT_EQ(none.size(), 8u);
    EXPECT_EQ(none[6].imm, 0);
    const auto all = device_program({{.allow = false}, {.allow = true}}).value();
    ASSERT_EQ(all.size(), 8u) << "nothing behind a rule for everything";
    EXPECT_EQ(all[6].imm, 1);
    EXPECT_FALSE(device_program({{.allow = true, .type = 'x'}}));
    EXPECT_FALSE(device_program({{.allow = true, .access = "rx"}}));
}

// ---- the kernel of this machine -------------------------------------------------------------------------

class RealCgroup : public testing::Test {
  protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "needs root";
        auto h = detect();
        if (!h) GTEST_SKIP() << "needs cgroups: " << h.error().what();
        hierarchies_ = *h;
        driver_ = make_cgroupfs_driver(hierarchies_);
        parent_ = "/orlop-test-" + std::to_string(getpid());
    }
    void TearDown() override {
        if (!driver_) return;
        EXPECT_TRUE(driver_->remove_slice(parent_));
        for (const std::string& dir : Cgroup(hierarchies_, parent_).directories())
            EXPECT_FALSE(std::filesystem::exists(dir));
    }
    std::string value(const Cgroup& c, const std::string& controller, const std::string& file) {
        std::string text = read_file(c.directory_of(controller).value() + "/" + file).value_or("?");
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return text;
    }
    // A child of ours that does `work` once it is in the cgroup.
    pid_t fork_into(const Cgroup& c, void (*work)()) {
        int go[2];
        EXPECT_EQ(pipe2(go, O_CLOEXEC), 0);
        const pid_t pid = fork();
        if (pid == 0) {
            close(go[1]);
            char byte = 0;
            if (read(go[0], &byte, 1) == 1) work();
            _exit(0);
        }
        close(go[0]);
        const auto added = c.add(pid);
        EXPECT_TRUE(added) << added.error().what();
        EXPECT_EQ(write(go[1], "x", 1), 1);
        close(go[1]);
        return pid;
    }
    bool v2() const { return hierarchies_.version == Version::V2; }
    Hierarchies hierarchies_;
    std::unique_ptr<Driver> driver_;
    std::string parent_;
};

TEST_F(RealCgroup, LimitsAreVisibleInTheFiles) {
    const Resources r{.cpu_shares = 512,
                      .cpu_quota_us = 50000,
                      .cpu_period_us = 100000,
                      .memory_limit = 64 << 20,
                      .pids_limit = 77};
    const auto c = driver_->ensure_slice(parent_ + "/pod", r);
    ASSERT_TRUE(c) << c.error().what();
    if (v2()) {
        EXPECT_EQ(value(*c, "cpu", "cpu.max"), "50000 100000");
        EXPECT_EQ(value(*c, "cpu", "cpu.weight"), std::to_string(weight_from_shares(512)));
        EXPECT_EQ(value(*c, "memory", "memory.max"), "67108864");
    } else {
        EXPECT_EQ(value(*c, "cpu", "cpu.cfs_quota_us"), "50000");
        EXPECT_EQ(value(*c, "cpu", "cpu.shares"), "512");
        EXPECT_EQ(value(*c, "memory", "memory.limit_in_bytes"), "67108864");
    }
    EXPECT_EQ(value(*c, "pids", "pids.max"), "77");
    // Up and down again, in either order of the kernel's constraints.
    for (const int64_t limit : {int64_t{256} << 20, int64_t{32} << 20, int64_t{-1}}) {
        const auto applied = c->apply({.memory_limit = limit, .memory_swap_limit = limit});
        EXPECT_TRUE(applied) << applied.error().what();
    }
    EXPECT_EQ(c->stats()->memory_limit, 0u);
}

TEST_F(RealCgroup, AnOomKillIsCountedBeforeTheVictimIsReapedAndWakesTheWatch) {
    const auto c =
        driver_->ensure_slice(parent_ + "/pod", {.memory_limit = 16 << 20, .memory_swap_limit = 16 << 20});
    ASSERT_TRUE(c) << c.error().what();
    const auto loop = EventLoop::make().value();
    bool seen = false;
    const auto watch = OomWatch::make(*loop, *c, [&] {
        seen = true;
        loop->stop();
    });
    ASSERT_TRUE(watch) << watch.error().what();
    EXPECT_EQ(c->oom_kills().value(), 0u);
    const pid_t pid = fork_into(*c, [] {
        for (;;) {
            void* p = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (p != MAP_FAILED) memset(p, 1, 1 << 20);
        }
    });
    siginfo_t info{};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(c->oom_kills().value(), 1u);
    const Watch limit = loop->add_timer_in(std::chrono::seconds(10), [&] { loop->stop(); });
    ASSERT_TRUE(loop->run());
    EXPECT_TRUE(seen);
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(RealCgroup, KillAllTakesWholeFamiliesAndRemoveLeavesNothing) {
    const auto c = driver_->ensure_slice(parent_ + "/pod", {});
    ASSERT_TRUE(c) << c.error().what();
    ASSERT_TRUE(c->child("a").create());
    const pid_t pid = fork_into(v2() ? c->child("a") : *c, [] {
        for (int i = 0; i < 4; ++i) fork();
        for (;;) pause();
    });
    // Reap like an init would; the grandchildren are orphans of another's.
    std::thread reaper([pid] { waitpid(pid, nullptr, 0); });
    const auto killed = c->kill_all(std::chrono::seconds(10));
    EXPECT_TRUE(killed) << killed.error().what();
    reaper.join();
    EXPECT_TRUE(c->processes_recursive()->empty());
    EXPECT_TRUE(c->remove(std::chrono::seconds(10)));
    EXPECT_FALSE(c->exists());
}

TEST_F(RealCgroup, DeviceRulesAreTheKernels) {
    const auto c = driver_->ensure_slice(
        parent_ + "/pod",
        {.devices = {{.allow = false}, {.allow = true, .type = 'c', .major = 1, .minor = 3}}});
    ASSERT_TRUE(c) << c.error().what();
    const pid_t pid = fork_into(*c, [] {
        const bool null_opens = open("/dev/null", O_RDWR | O_CLOEXEC) >= 0;
        const bool zero_refused = open("/dev/zero", O_RDONLY | O_CLOEXEC) < 0 && errno == EPERM;
        _exit((null_opens ? 0 : 1) | (zero_refused ? 0 : 2));
    });
    int status = 0;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(RealCgroup, APodHasItsShimInALeafAndIsRemovedWhole) {
    const std::string id(64, 'a');
    const pid_t pid = fork();
    if (pid == 0) {
        for (;;) pause();
    }
    const auto pod =
        driver_->create_pod({.parent = parent_, .sandbox_id = id, .pids = {pid}, .resources = {}});
    ASSERT_TRUE(pod) << pod.error().what();
    EXPECT_EQ(pod->path(), driver_->pod_path(parent_, id).value());
    EXPECT_EQ(pod->child("shim").processes().value(), std::vector<pid_t>{pid});
    const Cgroup container = pod->child("c");
    ASSERT_TRUE(container.create());
    ASSERT_TRUE(container.apply({.memory_limit = 32 << 20, .pids_limit = 10}));
    std::thread reaper([pid] { waitpid(pid, nullptr, 0); });
    const auto removed = driver_->remove_pod(parent_, id);
    EXPECT_TRUE(removed) << removed.error().what();
    reaper.join();
    EXPECT_TRUE(driver_->remove_pod(parent_, id)) << "missing is fine";
}

TEST_F(RealCgroup, WhatTheHostLacksIsNamed) {
    const auto c = driver_->ensure_slice(parent_, {});
    ASSERT_TRUE(c);
    const auto r = c->apply({.hugepages = {{"3MB", 1}}});
    ASSERT_FALSE(r);
    EXPECT_NE(r.error().what().find("hugetlb"), std::string::npos) << r.error().what();
    if (!v2()) {
        EXPECT_EQ(c->apply({.unified = {{"memory.high", "1"}}}).error().kind(), Kind::Unimplemented);
    }
}

}  // namespace
}  // namespace orlop::cgroups
