// Network counters of a pod.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace orlop::core {

struct InterfaceCounters {
    std::string name;
    uint64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0;
    uint64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0;
};

// /proc/PID/net/dev (proc_pid_net(5)) without the loopback; what is not understood is passed over.
std::vector<InterfaceCounters> parse_interfaces(std::string_view text);

}  // namespace orlop::core
