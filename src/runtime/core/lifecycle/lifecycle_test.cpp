#include "runtime/core/lifecycle/lifecycle.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <future>

namespace orlop::core {
namespace {

const std::string kPod(64, 'a');
const std::string kId(64, 'c');
constexpr Nanos kLong = std::chrono::seconds(30);

class LifecycleTest : public testing::Test {
  protected:
    void SetUp() override {
        char path[] = "/tmp/orlop-life-XXXXXX";
        ASSERT_NE(mkdtemp(path), nullptr);
        path_ = path;
        state_.sandboxes = std::move(*Sandboxes::open(path_ + "/s"));
        state_.containers = std::move(*Containers::open(path_ + "/c"));
        SandboxRecord pod;
        pod.id = kPod;
        pod.phase = SandboxPhase::Ready;
        ASSERT_TRUE(state_.sandboxes->insert(pod));
        put(ContainerPhase::Running);
        subscription_ = bus_.subscribe();
        lifecycle_ = std::make_unique<Lifecycle>(
            state_, announcer_, clock_,
            Lifecycle::Actions{.forget = [this](const auto&, const auto& c) { forgotten_.set_value(c); },
                               .left_exits = [this](const auto&) { return left_; },
                               .kill_pod =
                                   [this](const SandboxRecord& s) {
                                       killed_.push_back(s.id);
                                       return ok();
                                   },
                               .report =
                                   [this](const auto& text) {
                                       if (!std::exchange(told_, true)) reported_.set_value(text);
                                   }},
            std::chrono::milliseconds(1));
    }
    void TearDown() override {
        lifecycle_.reset();
        (void)Dir::open("/tmp")->remove_tree(path_.substr(5));
    }
    void put(ContainerPhase phase) {
        ContainerRecord c;
        c.id = kId;
        c.sandbox = kPod;
        c.phase = phase;
        ASSERT_TRUE(state_.containers->insert(c));
    }
    cri::ContainerEventType next_event() {
        const auto event = subscription_->next(kLong);
        EXPECT_TRUE(event);
        return event ? (*event)->container_event_type() : cri::CONTAINER_CREATED_EVENT;
    }

    std::string path_;
    State state_;
    EventBus bus_;
    FakeClock clock_;
    Announcer announcer_{state_, bus_, clock_};
    std::shared_ptr<EventBus::Subscription> subscription_;
    std::promise<std::string> forgotten_, reported_;
    bool told_ = false;  // the pool runs the tasks of one pod in one thread
    std::vector<shim::Exit> left_;
    std::vector<std::string> killed_;
    std::unique_ptr<Lifecycle> lifecycle_;
};

const shim::Exit kExit{.container = kId, .code = 3, .oom = false, .started_at = 5, .finished_at = 9};

TEST_F(LifecycleTest, AnExitIsOnRecordThenToldThenForgotten) {
    lifecycle_->exited(kPod, kExit);
    EXPECT_EQ(forgotten_.get_future().get(), kId);
    EXPECT_EQ(state_.containers->get(kId)->exit_code, 3);
    const auto event = subscription_->next(kLong);
    ASSERT_TRUE(event);
    EXPECT_EQ((*event)->container_event_type(), cri::CONTAINER_STOPPED_EVENT);
    ASSERT_EQ((*event)->containers_statuses_size(), 1);
    EXPECT_EQ((*event)->containers_statuses(0).exit_code(), 3);
    EXPECT_EQ((*event)->pod_sandbox_status().id(), kPod);
}

TEST_F(LifecycleTest, NobodySeesAnEndBeforeItsStart) {
    put(ContainerPhase::Starting);
    {
        const auto window = lifecycle_->starting(kId);
        lifecycle_->exited(kPod, kExit);
        EXPECT_FALSE(subscription_->next(Nanos(0)));
        EXPECT_EQ(state_.containers->get(kId)->phase, ContainerPhase::Starting);
        announcer_.announce(cri::CONTAINER_STARTED_EVENT, kId, kPod);
    }
    EXPECT_EQ(next_event(), cri::CONTAINER_STARTED_EVENT);
    EXPECT_EQ(next_event(), cri::CONTAINER_STOPPED_EVENT);
}

TEST_F(LifecycleTest, TheSecondReportOfAnEndChangesNothing) {
    ASSERT_TRUE(lifecycle_->take_exit(kPod, kExit));
    shim::Exit again = kExit;
    again.code = 0;
    ASSERT_TRUE(lifecycle_->take_exit(kPod, again));
    EXPECT_EQ(state_.containers->get(kId)->exit_code, 3);
    EXPECT_EQ(next_event(), cri::CONTAINER_STOPPED_EVENT);
    EXPECT_FALSE(subscription_->next(Nanos(0)));
}

TEST_F(LifecycleTest, AnExitThatCannotBeWrittenIsReportedAndTriedAgain) {
    const auto dir = state_.containers->dir().open_dir(kId);
    ASSERT_TRUE(dir);
    ASSERT_TRUE(dir->unlink(ContainerRecord::kFile));
    ASSERT_TRUE(dir->make_dir(ContainerRecord::kFile));  // rename(2) onto it fails
    lifecycle_->exited(kPod, kExit);
    EXPECT_FALSE(reported_.get_future().get().empty());
    EXPECT_EQ(state_.containers->get(kId)->phase, ContainerPhase::Running);
    ASSERT_TRUE(dir->remove_tree(ContainerRecord::kFile));
    EXPECT_EQ(forgotten_.get_future().get(), kId);
    EXPECT_EQ(state_.containers->get(kId)->exit_code, 3);
}

TEST_F(LifecycleTest, AShimsDeathKillsItsPodAndLosesItsContainers) {
    lifecycle_->gone(kPod);
    EXPECT_FALSE(reported_.get_future().get().empty());
    EXPECT_EQ(next_event(), cri::CONTAINER_STOPPED_EVENT);
    EXPECT_EQ(next_event(), cri::CONTAINER_STOPPED_EVENT) << "of the sandbox itself";
    EXPECT_EQ(killed_, std::vector<std::string>{kPod});
    EXPECT_EQ(state_.containers->get(kId)->reason, "Unknown");
    EXPECT_EQ(state_.containers->get(kId)->exit_code, 255);
    EXPECT_EQ(state_.sandboxes->get(kPod)->phase, SandboxPhase::NotReady);
}

TEST_F(LifecycleTest, ADeadShimsExitRecordsCount) {
    left_ = {kExit};
    lifecycle_->gone(kPod);
    EXPECT_EQ(next_event(), cri::CONTAINER_STOPPED_EVENT);
    EXPECT_EQ(next_event(), cri::CONTAINER_STOPPED_EVENT);
    EXPECT_EQ(state_.containers->get(kId)->exit_code, 3);
}

TEST_F(LifecycleTest, AShimThatWasToldToEndIsNotMourned) {
    ASSERT_TRUE(lifecycle_->take_exit(kPod, kExit));
    ASSERT_TRUE(state_.sandboxes->update(kPod, [](SandboxRecord s) {
        s.phase = SandboxPhase::NotReady;
        return s;
    }));
    lifecycle_->gone(kPod);
    lifecycle_.reset();  // finishes what is queued
    EXPECT_TRUE(killed_.empty());
}

}  // namespace
}  // namespace orlop::core
