#include "runtime/oci/ps_table.h"

#include <gtest/gtest.h>

namespace orlop::oci {
namespace {

TEST(FilterPs, KeepsTheHeaderAndTheContainersLines) {
    const auto out = filter_ps(
        "UID        PID  PPID CMD\nroot         1     0 init\nroot        12     1 sh 12\nu   112 12 x\n",
        {12});
    ASSERT_TRUE(out);
    EXPECT_EQ(*out, "UID        PID  PPID CMD\nroot        12     1 sh 12\n");
}

TEST(FilterPs, WantsAPidColumn) {
    EXPECT_FALSE(filter_ps("CMD\nsh\n", {1}));
}

}  // namespace
}  // namespace orlop::oci
