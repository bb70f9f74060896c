#include "netns/sysctl.h"

#include <algorithm>

#include "base/dir.h"

namespace orlop::netns {

namespace {

constexpr size_t kLongestValue = 4096;

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

Error refuse(std::string_view name, const char* why) {
    std::string shown(name.substr(0, 100));
    std::replace_if(shown.begin(), shown.end(), is_control, '?');
    return Error::invalid("sysctl \"" + shown + "\": " + why);
}

}  // namespace

Result<std::string> net_sysctl_path(std::string_view name) {
    if (std::any_of(name.begin(), name.end(), is_control)) return refuse(name, "has a control character");
    std::string path(name);
    const size_t first = path.find_first_of("./");
    if (first != std::string::npos && path[first] == '.') {
        for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
    }
    if (!path.starts_with("net/")) return refuse(name, "only net.* belongs to a network namespace");
    for (size_t at = 0; at <= path.size();) {
        const size_t end = std::min(path.find('/', at), path.size());
        const std::string_view part = std::string_view(path).substr(at, end - at);
        if (part.empty() || part == "." || part == "..") return refuse(name, "is not the name of a sysctl");
        at = end + 1;
    }
    return path;
}

Status check_sysctl_value(std::string_view value) {
    if (value.size() > kLongestValue) return Error::invalid("the value is longer than 4096 bytes");
    const bool bad =
        std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; });
    return bad ? Status(Error::invalid("the value has a control character")) : ok();
}

Status write_net_sysctl(const std::string& name, const std::string& value) {
    const std::string path = TRY(net_sysctl_path(name));
    TRY(check_sysctl_value(value).under("sysctl " + name));
    // /proc/sys/net shows the namespace of the task that looks it up, so a thread sees its own.
    const Dir sys = TRY(Dir::open("/proc/sys"));
    if (auto r = sys.write(path, value); !r) {
        const int e = r.error().errnum();
        // The pod asked for something that this kernel does not have or take: trying again does not help.
        const bool wrong = e == ENOENT || e == EINVAL || e == ERANGE;
        return Error(wrong ? Kind::Invalid : r.error().kind(),
                     "sysctl " + name + "=" + value + ": " + r.error().what(), e);
    }
    return ok();
}

}  // namespace orlop::netns
