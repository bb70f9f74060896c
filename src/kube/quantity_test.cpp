#include "kube/quantity.h"

#include <gtest/gtest.h>

namespace orlop::kube {
namespace {

struct Row {
    const char* text;
    int64_t value;
    int64_t milli;
};

class Amounts : public testing::TestWithParam<Row> {};
TEST_P(Amounts, AreReadAsKubernetesWritesThem) {
    const auto q = Quantity::parse(GetParam().text);
    ASSERT_TRUE(q) << q.error().what();
    EXPECT_EQ(q->value(), GetParam().value);
    EXPECT_EQ(q->milli(), GetParam().milli);
    EXPECT_EQ(q->text(), GetParam().text);
}
INSTANTIATE_TEST_SUITE_P(Table, Amounts,
                         testing::Values(Row{"0", 0, 0}, Row{"1", 1, 1000}, Row{"500m", 1, 500},
                                         Row{"0.5", 1, 500}, Row{".5", 1, 500}, Row{"1.", 1, 1000},
                                         Row{"128Mi", 134217728, 134217728000},
                                         Row{"1.5Gi", 1610612736, 1610612736000}, Row{"1e3", 1000, 1000000},
                                         Row{"1E", 1000000000000000000, INT64_MAX}, Row{"2E2", 200, 200000},
                                         Row{"100n", 1, 1}, Row{"-1", -1, -1000}, Row{"+2k", 2000, 2000000},
                                         Row{"0.0001", 1, 1},
                                         Row{"9223372036854775807", INT64_MAX, INT64_MAX}));

TEST(QuantityText, MalformedIsRefused) {
    for (const char* text : {"", "m", "1.2.3", "1 Mi", "1mi", "1KiB", "abc", "--1", "1e", "1e999", "10Ei",
                             "9223372036854775808", "99999999999999999999999999999999999999999"}) {
        EXPECT_FALSE(Quantity::parse(text)) << text;
    }
}

TEST(QuantityText, DividesRoundingUp) {
    EXPECT_EQ(Quantity::parse("1500m")->divided_by(*Quantity::parse("1")), 2);
    EXPECT_EQ(Quantity::parse("128Mi")->divided_by(*Quantity::parse("1Mi")), 128);
    EXPECT_LT(*Quantity::parse("100m"), *Quantity::parse("1"));
    EXPECT_EQ(*Quantity::parse("1000m"), Quantity::whole(1));
}

}  // namespace
}  // namespace orlop::kube
