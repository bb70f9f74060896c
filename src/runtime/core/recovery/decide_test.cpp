#include "runtime/core/recovery/decide.h"

#include <gtest/gtest.h>

#include "runtime/core/recovery/stray_cgroups.h"

namespace orlop::core {
namespace {

constexpr int64_t kNow = 1000;

SandboxRecord sandbox(SandboxPhase phase) {
    SandboxRecord r;
    r.id = "pod";
    r.phase = phase;
    return r;
}

ContainerRecord container(ContainerPhase phase) {
    ContainerRecord r;
    r.id = "c";
    r.sandbox = "pod";
    r.phase = phase;
    return r;
}

shim::Snapshot snapshot(std::vector<shim::ContainerState> containers) {
    return {.shim_pid = 10, .pause_pid = 11, .containers = std::move(containers)};
}

const shim::ContainerState kRunning{.id = "c", .pid = 77, .started_at = 5, .exit = std::nullopt};
const shim::Exit kExit{.container = "c", .code = 3, .oom = false, .started_at = 5, .finished_at = 9};
const shim::ContainerState kEnded{.id = "c", .pid = 0, .started_at = 5, .exit = kExit};

Found found(ContainerPhase phase) {
    Found f;
    f.sandboxes = {sandbox(SandboxPhase::Ready)};
    f.containers = {container(phase)};
    return f;
}

TEST(Recovery, ContainersGoOnAsTheirShimSaysTheyDo) {
    struct Row {
        const char* name;
        ContainerPhase before;
        std::vector<shim::ContainerState> in_shim;
        ContainerPhase after;
        const char* reason;
        int code;
        bool forget;
    };
    const Row rows[] = {
        {"runs", ContainerPhase::Running, {kRunning}, ContainerPhase::Running, "", 0, false},
        {"started while we died",
         ContainerPhase::Starting,
         {kRunning},
         ContainerPhase::Running,
         "",
         0,
         false},
        {"ended meanwhile", ContainerPhase::Running, {kEnded}, ContainerPhase::Exited, "Error", 3, true},
        {"was never started", ContainerPhase::Starting, {}, ContainerPhase::Exited, "StartError", 128, false},
        {"is unknown to its shim",
         ContainerPhase::Running,
         {},
         ContainerPhase::Exited,
         "Unknown",
         255,
         false},
    };
    for (const Row& row : rows) {
        Found f = found(row.before);
        f.shims["pod"] = snapshot(row.in_shim);
        const Decisions d = decide(f, kNow);
        ASSERT_EQ(d.changed.size(), 1u) << row.name;
        EXPECT_EQ(d.changed[0].phase, row.after) << row.name;
        EXPECT_EQ(d.changed[0].reason, row.reason) << row.name;
        EXPECT_EQ(d.changed[0].exit_code, row.code) << row.name;
        EXPECT_EQ(d.changed[0].started_at, row.in_shim.empty() ? 0 : 5) << row.name;
        EXPECT_EQ(!d.forget.empty(), row.forget) << row.name;
        EXPECT_TRUE(d.kill.empty()) << row.name;
    }
}

TEST(Recovery, ATakenOverPidIsTheShims) {
    Found f = found(ContainerPhase::Running);
    f.shims["pod"] = snapshot({kRunning});
    EXPECT_EQ(decide(f, kNow).changed[0].pid, 77);
}

TEST(Recovery, AfterARebootEverythingIsExitedUnknownAndNotReady) {
    const Decisions d = decide(found(ContainerPhase::Running), kNow);
    EXPECT_EQ(d.kill, std::vector<std::string>{"pod"});
    ASSERT_EQ(d.changed.size(), 1u);
    EXPECT_EQ(d.changed[0].reason, "Unknown");
    EXPECT_EQ(d.changed[0].finished_at, kNow);
}

TEST(Recovery, ADeadShimsExitFileCounts) {
    Found f = found(ContainerPhase::Running);
    f.exit_files["c"] = kExit;
    const Decisions d = decide(f, kNow);
    EXPECT_EQ(d.changed[0].exit_code, 3);
    EXPECT_EQ(d.changed[0].finished_at, 9);
    EXPECT_TRUE(d.forget.empty()) << "there is nobody to tell";
}

TEST(Recovery, CreatedAndExitedContainersStayAsTheyAre) {
    for (const auto phase : {ContainerPhase::Created, ContainerPhase::Exited}) {
        EXPECT_TRUE(decide(found(phase), kNow).changed.empty());
    }
}

TEST(Recovery, AnExitOnRecordThatTheShimStillHoldsIsForgotten) {
    Found f = found(ContainerPhase::Exited);
    f.shims["pod"] = snapshot({kEnded});
    EXPECT_EQ(decide(f, kNow).forget, (std::vector<SandboxAndContainer>{{"pod", "c"}}));
}

TEST(Recovery, HalfMadeSandboxesAreUndone) {
    Found f;
    f.sandboxes = {sandbox(SandboxPhase::Creating)};
    const Decisions d = decide(f, kNow);
    EXPECT_EQ(d.undo, std::vector<std::string>{"pod"});
    EXPECT_TRUE(d.kill.empty());
}

TEST(Recovery, APodThatLostPauseOrNetworkIsNotReady) {
    Found whole = found(ContainerPhase::Created);
    whole.shims["pod"] = snapshot({});
    EXPECT_TRUE(decide(whole, kNow).kill.empty());
    Found no_pause = whole;
    no_pause.shims["pod"].pause_pid = 0;
    EXPECT_EQ(decide(no_pause, kNow).kill.size(), 1u);
    Found no_network = whole;
    no_network.lost_netns = {"pod"};
    EXPECT_EQ(decide(no_network, kNow).kill.size(), 1u);
}

TEST(Recovery, AStoppedPodNeedsNoShim) {
    Found f;
    f.sandboxes = {sandbox(SandboxPhase::NotReady)};
    EXPECT_TRUE(decide(f, kNow).kill.empty());
}

TEST(Recovery, WhatNobodyKnowsIsRemoved) {
    Found f;
    f.sandboxes = {sandbox(SandboxPhase::Ready)};
    f.shims["pod"] = snapshot({kRunning});
    f.containers = {container(ContainerPhase::Exited)};
    f.containers[0].id = "stray";
    f.containers[0].sandbox = "gone";
    f.shim_directories = {"pod", "old"};
    f.pin_owners = {"stray", "c"};
    const Decisions d = decide(f, kNow);
    EXPECT_EQ(d.drop, std::vector<std::string>{"stray"});
    EXPECT_EQ(d.orphan_shims, std::vector<std::string>{"old"});
    EXPECT_EQ(d.unpin, (std::vector<std::string>{"stray", "c"}));
    EXPECT_EQ(d.kill_container, (std::vector<SandboxAndContainer>{{"pod", "c"}}));
}

TEST(StrayCgroups, OnlyOurNamesAreSandboxes) {
    const std::string id(64, 'a');
    EXPECT_EQ(sandbox_of_cgroup("orlop-" + id), id);
    EXPECT_EQ(sandbox_of_cgroup("orlop-" + id + ".scope"), id);
    for (const char* other : {"orlop-1", "orlop-", "user.slice", "cri-containerd-aa.scope", "cgroup.procs"}) {
        EXPECT_EQ(sandbox_of_cgroup(other), "") << other;
    }
}

}  // namespace
}  // namespace orlop::core
