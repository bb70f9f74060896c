// Against the systemd of this machine; elsewhere (no systemd as PID 1) skipped by name.
#include "cgroups/systemd/systemd_driver.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/dir.h"
#include "base/spawn.h"

namespace orlop::cgroups {
namespace {

class SystemdDriver : public testing::Test {
  protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "needs root";
        if (!systemd_is_running()) GTEST_SKIP() << "needs systemd as PID 1";
        hierarchies_ = detect().value();
        auto driver = make_systemd_driver(hierarchies_);
        ASSERT_TRUE(driver) << driver.error().what();
        driver_ = std::move(driver).value();
        slice_ = "/orloptest" + std::to_string(getpid());
    }
    void TearDown() override {
        if (!driver_) return;
        EXPECT_TRUE(driver_->remove_slice(slice_));
    }
    std::string show(const std::string& unit, const std::string& property) {
        const auto r =
            run_command({.argv = {"/usr/bin/systemctl", "show", "-P", property, unit}, .env = {}, .fds = {}},
                        "", std::chrono::seconds(60));
        return r ? r->out : r.error().what();
    }
    pid_t sleeper() {
        const pid_t pid = fork();
        if (pid == 0) {
            for (;;) pause();
        }
        return pid;
    }
    Hierarchies hierarchies_;
    std::unique_ptr<Driver> driver_;
    std::string slice_;
};

TEST_F(SystemdDriver, ASliceHasItsLimitsInSystemdAndInTheFiles) {
    const auto slice =
        driver_->ensure_slice(slice_ + "/pod1-2", {.cpu_shares = 512, .memory_limit = 64 << 20});
    ASSERT_TRUE(slice) << slice.error().what();
    const std::string unit = slice_unit_from_path(slice_ + "/pod1-2").value();
    EXPECT_EQ(show(unit, hierarchies_.version == Version::V1 ? "MemoryLimit" : "MemoryMax"), "67108864\n");
    EXPECT_EQ(slice->stats()->memory_limit, 64u << 20);
    const auto again = driver_->ensure_slice(slice_ + "/pod1-2", {.memory_limit = 128 << 20});
    ASSERT_TRUE(again) << again.error().what();
    EXPECT_EQ(slice->stats()->memory_limit, 128u << 20);
    EXPECT_TRUE(driver_->remove_slice(slice_ + "/pod1-2"));
    EXPECT_FALSE(slice->exists());
}

TEST_F(SystemdDriver, APodIsOneDelegatedScopeWhoseCgroupsSurviveADaemonReload) {
    const std::string id(64, 'b');
    const pid_t pid = sleeper();
    const auto pod =
        driver_->create_pod({.parent = slice_, .sandbox_id = id, .pids = {pid}, .resources = {}});
    ASSERT_TRUE(pod) << pod.error().what();
    EXPECT_EQ(show("orlop-" + id + ".scope", "Delegate"), "yes\n");
    EXPECT_EQ(pod->child("shim").processes().value(), std::vector<pid_t>{pid});
    const Cgroup container = pod->child("c");
    ASSERT_TRUE(container.create());
    const auto applied = container.apply({.cpu_quota_us = 20000, .memory_limit = 32 << 20, .pids_limit = 9});
    ASSERT_TRUE(applied) << applied.error().what();
    ASSERT_TRUE(run_command({.argv = {"/usr/bin/systemctl", "daemon-reload"}, .env = {}, .fds = {}}, "",
                            std::chrono::seconds(60)));
    EXPECT_EQ(container.stats()->memory_limit, 32u << 20);
    EXPECT_EQ(pod->child("shim").processes().value(), std::vector<pid_t>{pid});
    std::thread reaper([pid] { waitpid(pid, nullptr, 0); });
    const auto removed = driver_->remove_pod(slice_, id);
    EXPECT_TRUE(removed) << removed.error().what();
    reaper.join();
    EXPECT_FALSE(container.exists());
    for (const std::string& dir : pod->directories()) EXPECT_FALSE(std::filesystem::exists(dir)) << dir;
    EXPECT_EQ(show("orlop-" + id + ".scope", "LoadState"), "not-found\n");
    EXPECT_TRUE(driver_->remove_pod(slice_, id)) << "missing is fine";
}

TEST_F(SystemdDriver, PodsAreMadeInParallel) {
    std::vector<pid_t> pids;
    for (int i = 0; i < 4; ++i) pids.push_back(sleeper());
    std::vector<std::thread> threads;
    std::vector<std::string> errors(pids.size());
    for (size_t i = 0; i < pids.size(); ++i) {
        threads.emplace_back([&, i] {
            const auto r = driver_->create_pod({.parent = slice_,
                                                .sandbox_id = std::string(64, static_cast<char>('0' + i)),
                                                .pids = {pids[i]},
                                                .resources = {}});
            if (!r) errors[i] = r.error().what();
        });
    }
    for (auto& t : threads) t.join();
    for (size_t i = 0; i < pids.size(); ++i) {
        EXPECT_EQ(errors[i], "");
        std::thread reaper([pid = pids[i]] { waitpid(pid, nullptr, 0); });
        EXPECT_TRUE(driver_->remove_pod(slice_, std::string(64, static_cast<char>('0' + i))));
        kill(pids[i], SIGKILL);
        reaper.join();
    }
}

TEST_F(SystemdDriver, APodOfAProcessThatIsGoneLeavesNothing) {
    const pid_t pid = sleeper();
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    const std::string id(64, 'c');
    EXPECT_FALSE(driver_->create_pod({.parent = slice_, .sandbox_id = id, .pids = {pid}, .resources = {}}));
    EXPECT_EQ(show("orlop-" + id + ".scope", "LoadState"), "not-found\n");
}

}  // namespace
}  // namespace orlop::cgroups
