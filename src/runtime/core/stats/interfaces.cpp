#include "runtime/core/stats/interfaces.h"

#include <sstream>

namespace orlop::core {

std::vector<InterfaceCounters> parse_interfaces(std::string_view text) {
    std::vector<InterfaceCounters> found;
    std::istringstream lines{std::string(text)};
    std::string line;
    while (std::getline(lines, line)) {
        const size_t colon = line.find(':');
        if (colon == std::string::npos) continue;
        InterfaceCounters one;
        one.name = line.substr(line.find_first_not_of(' '), colon - line.find_first_not_of(' '));
        if (one.name == "lo") continue;
        std::istringstream numbers(line.substr(colon + 1));
        uint64_t fifo = 0, frame = 0, compressed = 0, multicast = 0;
        numbers >> one.rx_bytes >> one.rx_packets >> one.rx_errors >> one.rx_dropped >> fifo >> frame >>
            compressed >> multicast >> one.tx_bytes >> one.tx_packets >> one.tx_errors >> one.tx_dropped;
        if (numbers) found.push_back(std::move(one));
    }
    return found;
}

}  // namespace orlop::core
