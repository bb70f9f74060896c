#include "cgroups/scope_protocol.h"

#include <gtest/gtest.h>

namespace orlop::cgroups {
namespace {

using Weights = std::vector<std::pair<std::string, uint64_t>>;
using Texts = std::vector<std::pair<std::string, std::string>>;

TEST(ScopeProtocol, CarriesEveryType) {
    const ScopeRequest request{ScopeAction::Create,
                               "a-b.scope",
                               {{"Delegate", true},
                                {"TasksMax", UINT64_MAX},
                                {"Description", std::string("Container x, \"quoted\"")},
                                {"Empty", std::string()},
                                {"PIDs", std::vector<uint32_t>{1, 2}},
                                {"AllowedCPUs", std::vector<uint8_t>{7, 255}, 244},
                                {"IODeviceWeight", Weights{{"/dev/block/8:0", 7}}},
                                {"DeviceAllow", Texts{}},
                                {"DeviceAllow", Texts{{"char-*", "m"}, {"/dev/char/1:3", "rwm"}}}}};
    const auto text = encode_request(request);
    ASSERT_TRUE(text) << text.error().what();
    EXPECT_TRUE(is_whole_request(*text));
    EXPECT_FALSE(is_whole_request(text->substr(0, text->size() - 1)));
    const auto back = decode_request(*text);
    ASSERT_TRUE(back) << back.error().what();
    EXPECT_TRUE(*back == request);
}

TEST(ScopeProtocol, RefusesWhatWouldBeReadOtherwise) {
    EXPECT_FALSE(encode_request({ScopeAction::Stop, "a\n.scope", {}}));
    EXPECT_FALSE(encode_request({ScopeAction::Stop, "", {}}));
    EXPECT_FALSE(encode_request({ScopeAction::Set, "a.scope", {{"Description", std::string("a\tb")}}}));
    EXPECT_FALSE(encode_request({ScopeAction::Set, "a.scope", {{"Description", std::string("a\nb")}}}));
    for (const char* bad :
         {"", "\n\n", "stop\ta.scope\n", "start\ta.scope\n\n", "stop\n\n", "stop\ta\tb\n\n", "stop\t\n\n",
          "set\ta\n0\tX\n\n", "set\ta\nx\tX\tt\t1\n\n", "set\ta\n0\tX\tt\t-1\n\n", "set\ta\n0\tX\tb\t2\n\n",
          "set\ta\n0\tX\tt\t1\t2\n\n", "set\ta\n0\tX\tay\t256\n\n", "set\ta\n0\tX\ta(ss)\tone\n\n",
          "set\ta\n0\tX\tq\t1\n\n", "set\ta\n0\t\tt\t1\n\n", "set\ta\n\n\n"}) {
        EXPECT_FALSE(decode_request(bad)) << bad;
    }
}

TEST(ScopeProtocol, RepliesKeepKindAndErrno) {
    EXPECT_TRUE(decode_reply(encode_reply(ok())));
    const auto failed = decode_reply(encode_reply(Error(Kind::Exists, "a\nb\tc", EEXIST)));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind(), Kind::Exists);
    EXPECT_EQ(failed.error().errnum(), EEXIST);
    EXPECT_EQ(failed.error().what(), "a b\tc");
    for (const char* bad : {"", "ok", "error\n", "error\t99\t0\tx\n", "error\t1\t0\tx", "error\tx\t0\tx\n"})
        EXPECT_EQ(decode_reply(bad).error().kind(), Kind::Failed) << bad;
}

}  // namespace
}  // namespace orlop::cgroups
