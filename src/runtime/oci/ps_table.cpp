#include "runtime/oci/ps_table.h"

#include <algorithm>
#include <string_view>

namespace orlop::oci {

namespace {

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> out;
    for (size_t at = line.find_first_not_of(' '); at != std::string_view::npos;) {
        const size_t end = std::min(line.find(' ', at), line.size());
        out.push_back(line.substr(at, end - at));
        at = line.find_first_not_of(' ', end);
    }
    return out;
}

}  // namespace

Result<std::string> filter_ps(const std::string& output, const std::vector<pid_t>& pids) {
    std::string kept;
    size_t column = std::string::npos;
    for (size_t at = 0; at < output.size();) {
        const size_t end = std::min(output.find('\n', at), output.size());
        const std::string line = output.substr(at, end - at);
        at = end + 1;
        const auto cells = words(line);
        if (column == std::string::npos) {
            column = static_cast<size_t>(std::find(cells.begin(), cells.end(), "PID") - cells.begin());
            if (column == cells.size()) return Error::invalid("couldn't find PID field in ps output");
            kept += line + "\n";
            continue;
        }
        const bool ours = cells.size() > column && std::any_of(pids.begin(), pids.end(), [&](pid_t pid) {
                              return cells[column] == std::to_string(pid);
                          });
        if (ours) kept += line + "\n";
    }
    return kept;
}

}  // namespace orlop::oci
