#include "runtime/core/state/names.h"

#include <gtest/gtest.h>

#include <future>

#include "runtime/core/state/pod_locks.h"

namespace orlop::core {
namespace {

constexpr Nanos kLong = std::chrono::seconds(30);

TEST(Names, ARetryWaitsForTheCreateThatOutlivedItsCall) {
    Names names;
    auto first = names.claim("pod", "1", kLong);
    ASSERT_TRUE(first->claim);
    auto retry = std::async(std::launch::async, [&] { return names.claim("pod", "2", kLong); });
    first->claim->keep();
    const auto second = retry.get();
    ASSERT_TRUE(second);
    EXPECT_FALSE(second->claim);
    EXPECT_EQ(second->existing, "1");
}

TEST(Names, ARetryOfAFailedCreateCreates) {
    Names names;
    auto first = std::make_optional(names.claim("pod", "1", kLong));
    auto retry = std::async(std::launch::async,
                            [&] { return names.claim("pod", "2", kLong).value().claim.has_value(); });
    first.reset();
    EXPECT_TRUE(retry.get());
}

TEST(Names, WhoeverWaitsTooLongIsToldTheStage) {
    Names names;
    auto first = names.claim("pod x", "1", kLong);
    first->claim->stage("pod network");
    const auto second = names.claim("pod x", "2", Nanos(0));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind(), Kind::TimedOut);
    EXPECT_NE(second.error().what().find("currently at stage \"pod network\""), std::string::npos);
    EXPECT_NE(second.error().what().find("pod x"), std::string::npos);
}

TEST(Names, OnlyTheOwnerReleasesAName) {
    Names names;
    names.add("pod", "1");
    names.release("pod", "2");
    EXPECT_EQ(names.claim("pod", "3", kLong)->existing, "1");
    names.release("pod", "1");
    EXPECT_TRUE(names.claim("pod", "3", kLong)->claim);
}

TEST(PodLocks, TwoPodsDoNotWaitForEachOther) {
    PodLocks locks;
    const auto a = locks.acquire("a", kLong);
    EXPECT_TRUE(locks.acquire("b", Nanos(0)));
    const auto busy = locks.acquire("a", Nanos(0));
    ASSERT_FALSE(busy);
    EXPECT_EQ(busy.error().kind(), Kind::Unavailable);
}

TEST(PodLocks, TheNextOneGetsThePodWhenItIsFree) {
    PodLocks locks;
    auto held = std::make_optional(locks.acquire("a", kLong));
    auto next = std::async(std::launch::async, [&] { return locks.acquire("a", kLong).ok(); });
    held.reset();
    EXPECT_TRUE(next.get());
}

}  // namespace
}  // namespace orlop::core
