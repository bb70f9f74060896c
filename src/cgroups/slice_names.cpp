#include <algorithm>

#include "cgroups/driver.h"

namespace orlop::cgroups {

// systemd.slice(5): "a-b-c.slice" lies in "a-b.slice", which lies in "a.slice"; "-" inside a name becomes
// "_".
Result<std::string> slice_unit_from_path(const std::string& path) {
    std::string unit;
    for (size_t at = 0; at < path.size();) {
        const size_t end = std::min(path.find('/', at), path.size());
        std::string part = path.substr(at, end - at);
        at = end + 1;
        if (part.empty()) continue;
        if (part == "." || part == "..") return Error::invalid("cgroup path \"" + path + "\" is not plain");
        std::replace(part.begin(), part.end(), '-', '_');
        unit += (unit.empty() ? "" : "-") + part;
    }
    if (unit.empty()) return std::string("-.slice");
    return unit + ".slice";
}

Result<std::string> slice_path_from_unit(const std::string& unit) {
    if (!unit.ends_with(".slice") || unit.find('/') != std::string::npos) {
        return Error::invalid("\"" + unit + "\" is not the name of a slice");
    }
    const std::string name = unit.substr(0, unit.size() - 6);
    if (name == "-") return std::string();
    if (name.empty() || name.front() == '-' || name.back() == '-' || name.find("--") != std::string::npos) {
        return Error::invalid("\"" + unit + "\" is not the name of a slice");
    }
    std::string path;
    for (size_t at = 0; at <= name.size(); ++at) {
        if (at == name.size() || name[at] == '-') path += "/" + name.substr(0, at) + ".slice";
    }
    return path;
}

}  // namespace orlop::cgroups
