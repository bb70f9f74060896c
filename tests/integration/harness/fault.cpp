#include "harness/fault.h"

#include <sstream>

namespace orlop::it {

Reply refused(const std::vector<std::string>& argv) {
    return run(argv, {}, scaled(15));
}

std::vector<std::string> complaint(const Reply& reply) {
    std::vector<std::string> lines;
    std::istringstream stream(reply.err);
    std::string line;
    while (std::getline(stream, line)) {
        if (!line.empty()) lines.push_back(line);
    }
    return lines;
}

}  // namespace orlop::it
