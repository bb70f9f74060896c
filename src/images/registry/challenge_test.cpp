#include "images/registry/challenge.h"

#include <gtest/gtest.h>

namespace orlop::registry {
namespace {

TEST(Challenges, GiveRealmServiceAndScope) {
    const auto all = parse_challenges(
        R"(Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push")");
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].scheme, "bearer");
    EXPECT_EQ(all[0].param("realm"), "https://auth.example/token");
    EXPECT_EQ(all[0].param("service"), "reg");
    EXPECT_EQ(all[0].param("scope"), "repository:a/b:pull,push");
}

TEST(Challenges, MayComeSeveralInOneHeader) {
    const auto all = parse_challenges(R"(Basic realm="a, b", BEARER Realm=x , negotiate)");
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].param("realm"), "a, b");
    EXPECT_EQ(all[1].scheme, "bearer");
    EXPECT_EQ(all[1].param("realm"), "x");
    EXPECT_EQ(all[2].scheme, "negotiate");
}

TEST(Challenges, KeepEscapedQuotesAndSurviveWhatIsCutShort) {
    EXPECT_EQ(parse_challenges(R"(Bearer realm="a\"b\\")")[0].param("realm"), R"(a"b\)");
    EXPECT_EQ(parse_challenges(R"(Bearer realm="a)")[0].param("realm"), "a");
    EXPECT_EQ(parse_challenges(R"(Bearer realm="a\)")[0].param("realm"), "a\\");
    EXPECT_TRUE(parse_challenges("").empty());
    EXPECT_TRUE(parse_challenges("=,\"=").empty());
}

}  // namespace
}  // namespace orlop::registry
