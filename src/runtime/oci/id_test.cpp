#include "runtime/oci/id.h"

#include <gtest/gtest.h>

namespace orlop::oci {
namespace {

TEST(OciId, TakesWhatRuncTakes) {
    for (const std::string& good :
         std::vector<std::string>{"a", "web_1", "a+b.c-D9", "+", std::string(255, 'a')}) {
        EXPECT_TRUE(Id::parse(good)) << good;
    }
}

TEST(OciId, RefusesWhatLeadsOutOrIsOurs) {
    for (const std::string& bad : std::vector<std::string>{"", ".", "..", ".cache", "-", "-x", "a/b", "a b",
                                                           "a\n", "\xc3\xa4", std::string(256, 'a')}) {
        EXPECT_FALSE(Id::parse(bad)) << bad;
    }
}

}  // namespace
}  // namespace orlop::oci
