// Containers' scopes through orlop-scope, against the systemd of this machine; elsewhere skipped by name.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/dir.h"
#include "base/spawn.h"
#include "cgroups/container.h"
#include "cgroups/systemd/systemd_driver.h"

namespace orlop::cgroups {
namespace {

class ContainerScope : public testing::Test {
  protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "needs root";
        if (!systemd_is_running()) GTEST_SKIP() << "needs systemd as PID 1";
        hierarchies_ = detect_any().value();
        slice_ = "orlopscope" + std::to_string(getpid()) + ".slice";
        request_ = {
            .id = "c1", .cgroups_path = slice_ + ":orlop:c1", .systemd = true, .scope_helper = ORLOP_SCOPE};
        v1_ = hierarchies_.version == Version::V1;
    }
    void TearDown() override {
        if (!slice_.empty()) command({"/usr/bin/systemctl", "stop", slice_});
    }
    std::string command(std::vector<std::string> argv) {
        const auto r =
            run_command({.argv = std::move(argv), .env = {}, .fds = {}}, "", std::chrono::seconds(60));
        return r ? r->out : r.error().what();
    }
    std::string show(const std::string& unit, const std::string& property) {
        std::string text = command({"/usr/bin/systemctl", "show", "-P", property, unit});
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return text;
    }
    std::string value(const Cgroup& c, const std::string& controller, const std::string& file) {
        std::string text = read_file(c.directory_of(controller).value() + "/" + file).value_or("?");
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return text;
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
    // Until the helper has left, which it does by itself.
    void wait_alone(const Cgroup& c, pid_t pid) {
        const Nanos end = SystemClock().monotonic() + std::chrono::seconds(10);
        while (c.processes_recursive().value() != std::vector<pid_t>{pid} && SystemClock().monotonic() < end)
            std::this_thread::yield();
        EXPECT_EQ(c.processes_recursive().value(), std::vector<pid_t>{pid});
    }
    bool v1_ = false;
    Hierarchies hierarchies_;
    std::string slice_;
    ContainerRequest request_;
};

TEST_F(ContainerScope, LivesFromTheHelperToTheLastProcess) {
    request_.resources = {
        .cpu_shares = 512,
        .cpu_quota_us = 20000,
        .cpu_period_us = 50000,
        .memory_limit = 64 << 20,
        .pids_limit = 9,
        .devices = {{.allow = false}, {true, 'c', 1, 3, "rwm"}, {true, 'c', 136, -1, "rwm"}}};
    auto made = create_container_cgroup(request_, hierarchies_);
    ASSERT_TRUE(made) << made.error().what();
    EXPECT_TRUE(made->hold);
    EXPECT_EQ(made->cgroup.unit, "orlop-c1.scope");
    const std::string& unit = made->cgroup.unit;
    const Cgroup cgroup(hierarchies_, made->cgroup.path);
    EXPECT_EQ(cgroup.processes_recursive()->size(), 1u) << "the helper";
    EXPECT_EQ(show(unit, "ActiveState"), "active");
    EXPECT_EQ(show(unit, "Delegate"), "yes");
    EXPECT_EQ(show(unit, "Slice"), slice_);
    EXPECT_EQ(show(unit, "CollectMode"), "inactive-or-failed");
    EXPECT_EQ(show(unit, "TasksMax"), "9");
    EXPECT_EQ(show(unit, v1_ ? "MemoryLimit" : "MemoryMax"), "67108864");
    EXPECT_EQ(show(unit, "DevicePolicy"), "strict");
    EXPECT_NE(show(unit, "DeviceAllow").find("char-pts"), std::string::npos) << show(unit, "DeviceAllow");
    EXPECT_EQ(value(cgroup, "pids", "pids.max"), "9");
    EXPECT_EQ(value(cgroup, "cpu", v1_ ? "cpu.cfs_quota_us" : "cpu.max"), v1_ ? "20000" : "20000 50000");
    const pid_t pid = sleeper(cgroup);
    made->hold.reset();
    wait_alone(cgroup, pid);
    EXPECT_EQ(show(unit, "ActiveState"), "active");
    const auto second = create_container_cgroup(request_, hierarchies_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind(), Kind::Exists) << second.error().what();
    const auto updated =
        update_container_cgroup(made->cgroup, request_.scope_helper, hierarchies_,
                                {.cpu_quota_us = 40000, .memory_limit = 32 << 20, .pids_limit = 7});
    EXPECT_TRUE(updated) << updated.error().what();
    EXPECT_EQ(show(unit, "TasksMax"), "7");
    command({"/usr/bin/systemctl", "daemon-reload"});
    EXPECT_EQ(value(cgroup, "pids", "pids.max"), "7");
    EXPECT_EQ(value(cgroup, "cpu", v1_ ? "cpu.cfs_quota_us" : "cpu.max"), v1_ ? "40000" : "40000 50000");
    EXPECT_EQ(cgroup.stats()->memory_limit, 32u << 20);
    std::thread reaper([pid] { waitpid(pid, nullptr, 0); });
    const auto removed = remove_container_cgroup(made->cgroup, request_.scope_helper, hierarchies_);
    EXPECT_TRUE(removed) << removed.error().what();
    reaper.join();
    EXPECT_EQ(show(unit, "LoadState"), "not-found");
    for (const std::string& dir : cgroup.directories()) EXPECT_FALSE(std::filesystem::exists(dir)) << dir;
    EXPECT_TRUE(remove_container_cgroup(made->cgroup, request_.scope_helper, hierarchies_))
        << "missing is fine";
}

TEST_F(ContainerScope, EndsWithTheCallerThatNeverFilledIt) {
    int ready[2];
    ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);
    const pid_t caller = fork();
    if (caller == 0) {
        const auto made = create_container_cgroup(request_, hierarchies_);
        const char said = made ? '1' : '0';
        if (write(ready[1], &said, 1) != 1) _exit(1);
        // A copy of the hold that nobody closes: only the caller's end tells.
        if (fork() == 0) sleep(60);
        _exit(0);
    }
    char said = 0;
    ASSERT_EQ(read(ready[0], &said, 1), 1);
    EXPECT_EQ(said, '1');
    waitpid(caller, nullptr, 0);
    const Cgroup cgroup(hierarchies_, "/" + slice_ + "/orlop-c1.scope");
    const Nanos end = SystemClock().monotonic() + std::chrono::seconds(10);
    while (show("orlop-c1.scope", "LoadState") != "not-found" && SystemClock().monotonic() < end)
        std::this_thread::yield();
    EXPECT_EQ(show("orlop-c1.scope", "LoadState"), "not-found");
    EXPECT_TRUE(
        remove_container_cgroup({cgroup.path(), "orlop-c1.scope"}, request_.scope_helper, hierarchies_));
    for (const int fd : ready) close(fd);
}

TEST_F(ContainerScope, WhatCannotBeLimitedLeavesNothing) {
    request_.resources.hugepages = {{"3MB", 1}};
    const auto made = create_container_cgroup(request_, hierarchies_);
    ASSERT_FALSE(made);
    EXPECT_EQ(show("orlop-c1.scope", "LoadState"), "not-found");
    for (const std::string& dir : Cgroup(hierarchies_, "/" + slice_ + "/orlop-c1.scope").directories())
        EXPECT_FALSE(std::filesystem::exists(dir)) << dir;
}

TEST_F(ContainerScope, ANameEndingInSliceIsASlice) {
    const std::string name = slice_.substr(0, slice_.size() - 6) + "-inner.slice";
    request_.cgroups_path = slice_ + "::" + name;
    request_.resources.memory_limit = 64 << 20;
    for (int i = 0; i < 2; ++i) {
        const auto made = create_container_cgroup(request_, hierarchies_);
        ASSERT_TRUE(made) << made.error().what();
        EXPECT_EQ(show(name, "ActiveState"), "active");
        EXPECT_EQ(Cgroup(hierarchies_, made->cgroup.path).stats()->memory_limit, 64u << 20);
        if (i == 0) continue;
        EXPECT_TRUE(remove_container_cgroup(made->cgroup, request_.scope_helper, hierarchies_));
    }
    EXPECT_FALSE(Cgroup(hierarchies_, "/" + slice_ + "/" + name).exists());
}

TEST_F(ContainerScope, AHelperThatIsNotThereIsNamed) {
    request_.scope_helper = "/nonexistent/orlop-scope";
    const auto made = create_container_cgroup(request_, hierarchies_);
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().what().find("/nonexistent/orlop-scope"), std::string::npos) << made.error().what();
}

}  // namespace
}  // namespace orlop::cgroups
