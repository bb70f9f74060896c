// A container that logs numbered lines, and the check that a log holds each of them once, whole, in order.
#pragma once

#include <string>

namespace orlop::it {

// 1,000 lines a second on average: ten at a time with a short pause.
inline constexpr const char* kThousandLinesASecond =
    "trap 'exit 0' TERM; i=0; while :; do for k in 0 1 2 3 4 5 6 7 8 9; do echo \"line $i of many\"; "
    "i=$((i+1)); done; "
    "usleep 8000; done";

// Empty, or what is wrong: a line that is torn, missing, doubled or out of order.
std::string numbered_lines_defect(const std::string& cri_log);

}  // namespace orlop::it
