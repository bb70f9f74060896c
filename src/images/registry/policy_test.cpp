#include "images/registry/policy.h"

#include <gtest/gtest.h>

namespace orlop::registry {
namespace {

constexpr const char* kPolicy = R"({"default":[{"type":"reject"}],"transports":{"docker":{
    "good.example":[{"type":"insecureAcceptAnything"}],
    "good.example/bad":[{"type":"reject"}],
    "good.example/bad/app:ok":[{"type":"insecureAcceptAnything"}],
    "*.wild.example":[{"type":"insecureAcceptAnything"}],
    "signed.example":[{"type":"signedBy","keyType":"GPGKeys"}]}}})";

std::string verdict(const std::string& policy, const std::string& reference) {
    const Status status = check_policy(policy, *images::Reference::parse(reference));
    return status ? "" : status.error().what();
}

TEST(Policy, IsDecidedByTheNarrowestScope) {
    EXPECT_EQ(verdict(kPolicy, "good.example/app"), "");
    EXPECT_NE(verdict(kPolicy, "good.example/bad/app").find(kSignature), std::string::npos);
    EXPECT_EQ(verdict(kPolicy, "good.example/bad/app:ok"), "");
    EXPECT_EQ(verdict(kPolicy, "a.b.wild.example:5000/app"), "");
    EXPECT_NE(verdict(kPolicy, "wild.example/app").find(kSignature), std::string::npos);
    EXPECT_NE(verdict(kPolicy, "busybox").find(kSignature), std::string::npos);
}

TEST(Policy, RefusesWhatItCannotVerify) {
    EXPECT_NE(verdict(kPolicy, "signed.example/app").find("signedBy"), std::string::npos);
}

TEST(Policy, ThatIsNoneAcceptsNothing) {
    for (const char* text : {"", "[]", "{}", R"({"default":[]})", R"({"default":[{"type":"accept"}]})"})
        EXPECT_NE(verdict(text, "busybox"), "") << text;
    EXPECT_TRUE(check_policy_file("/nowhere/policy.json", *images::Reference::parse("busybox")));
}

}  // namespace
}  // namespace orlop::registry
