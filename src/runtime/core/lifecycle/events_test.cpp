#include "runtime/core/lifecycle/events.h"

#include <gtest/gtest.h>

#include <future>

namespace orlop::core {
namespace {

constexpr Nanos kLong = std::chrono::seconds(30);

Event event(const std::string& id) {
    auto e = std::make_shared<cri::ContainerEventResponse>();
    e->set_container_id(id);
    return e;
}

TEST(EventBus, EverySubscriberGetsEveryEventInOrder) {
    EventBus bus;
    const auto a = bus.subscribe();
    const auto b = bus.subscribe();
    bus.publish(event("1"));
    bus.publish(event("2"));
    for (const auto& s : {a, b}) {
        EXPECT_EQ((*s->next(kLong))->container_id(), "1");
        EXPECT_EQ((*s->next(kLong))->container_id(), "2");
        EXPECT_FALSE(s->next(Nanos(0)));
    }
}

TEST(EventBus, ASlowSubscriberLosesOnlyItsOwnAndIsTold) {
    EventBus bus;
    const auto slow = bus.subscribe();
    for (size_t i = 0; i < EventBus::kQueue; ++i) bus.publish(event("old"));
    const auto quick = bus.subscribe();
    bus.publish(event("a"));
    bus.publish(event("b"));
    EXPECT_EQ(slow->take_dropped(), 2u);
    EXPECT_EQ(slow->take_dropped(), 0u);
    EXPECT_EQ((*slow->next(kLong))->container_id(), "old");
    EXPECT_EQ((*quick->next(kLong))->container_id(), "a");
    EXPECT_EQ(quick->take_dropped(), 0u);
}

TEST(EventBus, ASubscriberThatLeftIsNotCounted) {
    EventBus bus;
    std::vector<std::shared_ptr<EventBus::Subscription>> all;
    while (auto one = bus.subscribe()) all.push_back(one);
    EXPECT_EQ(all.size(), 16u);
    all.pop_back();
    EXPECT_NE(bus.subscribe(), nullptr);
}

TEST(EventBus, ClosingWakesThoseWhoWait) {
    EventBus bus;
    const auto s = bus.subscribe();
    auto waiting = std::async(std::launch::async, [&] { return s->next(kLong).has_value(); });
    bus.close();
    EXPECT_FALSE(waiting.get());
    EXPECT_TRUE(s->closed());
    EXPECT_TRUE(bus.subscribe()->closed()) << "also for those who come later";
}

}  // namespace
}  // namespace orlop::core
