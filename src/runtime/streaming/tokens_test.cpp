#include "runtime/streaming/tokens.h"

#include <gtest/gtest.h>

#include <set>

namespace orlop::streaming {
namespace {

TEST(Tokens, WorkOnce) {
    const FakeClock clock;
    Tokens tokens(clock, std::chrono::minutes(1), 10);
    const auto token = tokens.add(PortForwardRequest{"pod"});
    ASSERT_TRUE(token);
    const auto request = tokens.take(*token);
    ASSERT_TRUE(request);
    EXPECT_EQ(std::get<PortForwardRequest>(*request).sandbox, "pod");
    EXPECT_FALSE(tokens.take(*token));
    EXPECT_FALSE(tokens.take(""));
}

TEST(Tokens, Are128BitsAndNeverTheSame) {
    const FakeClock clock;
    Tokens tokens(clock, std::chrono::minutes(1), 1000);
    std::set<std::string> all;
    for (int i = 0; i < 1000; ++i) {
        const auto token = tokens.add(PortForwardRequest{});
        ASSERT_TRUE(token);
        EXPECT_EQ(token->size(), 32u);
        all.insert(*token);
    }
    EXPECT_EQ(all.size(), 1000u);
}

TEST(Tokens, Expire) {
    FakeClock clock;
    Tokens tokens(clock, std::chrono::minutes(1), 10);
    const auto token = tokens.add(PortForwardRequest{});
    const auto late = tokens.add(PortForwardRequest{});
    clock.advance(std::chrono::seconds(59));
    EXPECT_TRUE(tokens.take(*token));
    clock.advance(std::chrono::seconds(1));
    EXPECT_FALSE(tokens.take(*late));
}

TEST(Tokens, BeyondTheLimitAreRefusedUntilOthersExpire) {
    FakeClock clock;
    Tokens tokens(clock, std::chrono::minutes(1), 2);
    EXPECT_TRUE(tokens.add(PortForwardRequest{}));
    EXPECT_TRUE(tokens.add(PortForwardRequest{}));
    const auto refused = tokens.add(PortForwardRequest{});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), Kind::Exhausted);
    clock.advance(std::chrono::minutes(1));
    EXPECT_TRUE(tokens.add(PortForwardRequest{}));
}

}  // namespace
}  // namespace orlop::streaming
