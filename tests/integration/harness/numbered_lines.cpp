#include "harness/numbered_lines.h"

#include "harness/node_test.h"

namespace orlop::it {

std::string numbered_lines_defect(const std::string& cri_log) {
    if (cri_log.empty()) return "the log is empty";
    if (!cri_log.ends_with('\n')) return "the last line is torn";
    long expected = 0;
    for (const LogLine& line : parse_log(cri_log)) {
        const std::string wanted = "line " + std::to_string(expected) + " of many";
        if (line.stream != "stdout" || line.tag != "F" || line.text != wanted)
            return "wanted '" + wanted + "', found '" + line.time + " " + line.stream + " " + line.tag + " " +
                   line.text + "'";
        ++expected;
    }
    return "";
}

}  // namespace orlop::it
