#include "runtime/core/lifecycle/stopper.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <future>

namespace orlop::core {
namespace {

const std::string kId(64, 'c');
constexpr Nanos kForever = std::chrono::hours(1);

// A container that obeys what a test wants it to obey.
class FakeActions final : public StopActions {
  public:
    explicit FakeActions(Containers& containers) : containers_(containers) {}

    Status signal(const ContainerRecord&) override {
        ++signals;
        if (obeys_signal) end(0);
        signalled.set_value();
        return signal_result;
    }
    Status kill(const ContainerRecord&) override {
        ++kills;
        if (obeys_kill) end(137);
        return kill_result;
    }
    Status force(const ContainerRecord&) override {
        ++forces;
        return force_result;
    }
    Status presume_dead(const ContainerRecord&) override {
        end(137);
        return ok();
    }
    void end(int code) {
        (void)containers_.update(kId,
                                 [&](ContainerRecord r) { return exited(std::move(r), code, false, 1); });
    }

    std::atomic<int> signals = 0, kills = 0, forces = 0;
    bool obeys_signal = false, obeys_kill = true;
    Status signal_result, kill_result, force_result;
    std::promise<void> signalled;

  private:
    Containers& containers_;
};

class StopperTest : public testing::Test {
  protected:
    void SetUp() override {
        char path[] = "/tmp/orlop-stop-XXXXXX";
        ASSERT_NE(mkdtemp(path), nullptr);
        path_ = path;
        containers_ = std::move(*Containers::open(path_));
        actions_ = std::make_unique<FakeActions>(*containers_);
        const StopLimits limits{.start = kForever, .kill = Nanos(0), .report = Nanos(0)};
        stopper_ = std::make_unique<Stopper>(*containers_, *actions_, limits);
        put(ContainerPhase::Running);
    }
    void TearDown() override { (void)Dir::open("/tmp")->remove_tree(path_.substr(5)); }
    void put(ContainerPhase phase) {
        ContainerRecord r;
        r.id = kId;
        r.pid = 4711;
        r.phase = phase;
        ASSERT_TRUE(containers_->insert(r));
    }

    std::string path_;
    std::unique_ptr<Containers> containers_;
    std::unique_ptr<FakeActions> actions_;
    std::unique_ptr<Stopper> stopper_;
};

TEST_F(StopperTest, AContainerThatObeysIsNotKilled) {
    actions_->obeys_signal = true;
    EXPECT_TRUE(stopper_->stop(kId, kForever));
    EXPECT_EQ(actions_->signals, 1);
    EXPECT_EQ(actions_->kills, 0);
}

TEST_F(StopperTest, WithoutGraceItIsKilledAndNotAsked) {
    EXPECT_TRUE(stopper_->stop(kId, Nanos(0)));
    EXPECT_EQ(actions_->signals, 0);
    EXPECT_EQ(actions_->kills, 1);
}

TEST_F(StopperTest, AfterTheGraceItIsKilled) {
    EXPECT_TRUE(stopper_->stop(kId, std::chrono::milliseconds(1)));
    EXPECT_EQ(actions_->signals, 1);
    EXPECT_EQ(actions_->kills, 1);
}

TEST_F(StopperTest, AShorterLaterCallWinsAndTheSignalIsSentOnce) {
    auto first = std::async(std::launch::async, [&] { return stopper_->stop(kId, kForever).ok(); });
    actions_->signalled.get_future().wait();
    EXPECT_TRUE(stopper_->stop(kId, std::chrono::milliseconds(1)));
    EXPECT_TRUE(first.get()) << "the first call ends with the container";
    EXPECT_EQ(actions_->signals, 1);
    EXPECT_EQ(actions_->kills, 1);
}

TEST_F(StopperTest, WhatDoesNotRunIsStoppedAlready) {
    for (const auto phase : {ContainerPhase::Created, ContainerPhase::Exited}) {
        put(phase);
        EXPECT_TRUE(stopper_->stop(kId, kForever));
    }
    EXPECT_TRUE(stopper_->stop(std::string(64, 'd'), kForever)) << "unknown";
    EXPECT_EQ(actions_->signals + actions_->kills, 0);
}

TEST_F(StopperTest, AStartUnderWayIsWaitedFor) {
    put(ContainerPhase::Starting);
    actions_->obeys_signal = true;
    auto stopping = std::async(std::launch::async, [&] { return stopper_->stop(kId, kForever).ok(); });
    ASSERT_TRUE(containers_->update(kId, [](ContainerRecord r) {
        r.phase = ContainerPhase::Running;
        return r;
    }));
    EXPECT_TRUE(stopping.get());
    EXPECT_EQ(actions_->signals, 1);
}

TEST_F(StopperTest, AShimThatCannotBeAskedCostsTheGrace) {
    actions_->signal_result = Error::timed_out("no answer");
    EXPECT_TRUE(stopper_->stop(kId, kForever));
    EXPECT_EQ(actions_->kills, 1);
}

TEST_F(StopperTest, AHungShimIsBypassedAndTheEndRecordedForIt) {
    actions_->obeys_kill = false;
    actions_->kill_result = Error::timed_out("no answer");
    EXPECT_TRUE(stopper_->stop(kId, Nanos(0)));
    EXPECT_EQ(actions_->forces, 1);
    EXPECT_EQ(containers_->get(kId)->exit_code, 137);
}

TEST_F(StopperTest, WhatWillNotDieIsNamed) {
    actions_->obeys_kill = false;
    actions_->force_result = Error::timed_out("cgroup is not empty");
    const Status stopped = stopper_->stop(kId, Nanos(0));
    ASSERT_FALSE(stopped);
    EXPECT_NE(stopped.error().what().find("pid 4711"), std::string::npos);
    EXPECT_NE(stopped.error().what().find("cgroup is not empty"), std::string::npos);
}

}  // namespace
}  // namespace orlop::core
