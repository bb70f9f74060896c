#include "base/base64.h"

#include <gtest/gtest.h>

namespace orlop {
namespace {

TEST(Base64, GoesThereAndBackForTheVectorsOfRfc4648) {
    const std::pair<std::string, std::string> rows[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {std::string("\0\xff\xfe", 3), "AP/+"},
    };
    for (const auto& [bytes, text] : rows) {
        EXPECT_EQ(base64_encode(bytes), text);
        const auto decoded = base64_decode(text);
        ASSERT_TRUE(decoded) << text;
        EXPECT_EQ(*decoded, bytes);
    }
}

TEST(Base64, RefusesWhatAnEncoderWouldNotWrite) {
    for (const char* text :
         {"Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm9v\n", "Zm 9", "Zg==Zg==", "Z-_v"}) {
        const auto decoded = base64_decode(text);
        ASSERT_FALSE(decoded) << text;
        EXPECT_EQ(decoded.error().kind(), Kind::Invalid) << text;
    }
}

}  // namespace
}  // namespace orlop
