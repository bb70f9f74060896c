// One property of a unit, org.freedesktop.systemd1(5), free of sd-bus: static programs compose them too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cgroups/cgroup.h"

namespace orlop::cgroups {

// D-Bus types b, t, s, au, ay, a(st), a(ss), in this order.
using UnitValue = std::variant<bool, uint64_t, std::string, std::vector<uint32_t>, std::vector<uint8_t>,
                               std::vector<std::pair<std::string, uint64_t>>,
                               std::vector<std::pair<std::string, std::string>>>;

struct UnitProperty {
    std::string name;
    UnitValue value;
    unsigned since = 0;  // the version of systemd that knows it; left out on older ones
    bool operator==(const UnitProperty&) const = default;
};

// What systemd should know of the limits, or it would take them back at the next daemon-reload (the files are
// written too, and are exact). Devices as DevicePolicy and DeviceAllow, which may allow more than the rules
// where those deny a part of what they allowed. `proc_devices` is the text of /proc/devices: systemd calls a
// whole major by its name there. Pure.
std::vector<UnitProperty> unit_properties(const Resources& resources, Version version,
                                          std::string_view proc_devices);
// CPUAccounting and the like.
std::vector<UnitProperty> accounting_properties();

}  // namespace orlop::cgroups
