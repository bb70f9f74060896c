// Settings that every container or pod has unless it says otherwise.
#include <sys/resource.h>

#include <charconv>

#include "runtime/launch/sysctl_names.h"
#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

// getrlimit(2), in lower case as ulimits are written elsewhere.
constexpr std::pair<std::string_view, uint32_t> kNames[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},       {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},       {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK}};

std::optional<uint64_t> limit_of(std::string_view text) {
    if (text == "unlimited" || text == "-1") return RLIM_INFINITY;
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Error wrong(const std::string& text, const std::string& why) {
    return Error::invalid("\"" + printable(text) + "\": " + why);
}

}  // namespace

Result<launch::Rlimit> parse_rlimit(const std::string& text) {
    const std::string_view whole = text;
    const size_t equals = whole.find('=');
    if (equals == whole.npos) return wrong(text, "not of the form name=soft:hard");
    const std::string_view name = whole.substr(0, equals);
    const std::string_view values = whole.substr(equals + 1);
    const size_t colon = values.find(':');
    const auto soft = limit_of(values.substr(0, colon));
    const auto hard = colon == values.npos ? soft : limit_of(values.substr(colon + 1));
    if (!soft || !hard) return wrong(text, "limits are numbers or \"unlimited\"");
    if (*soft > *hard) return wrong(text, "the soft limit is above the hard one");
    for (const auto& [known, resource] : kNames) {
        if (name == known) return launch::Rlimit{resource, *soft, *hard};
    }
    return wrong(text, "no such limit");
}

Result<std::pair<std::string, std::string>> parse_sysctl(const std::string& text) {
    const size_t equals = text.find('=');
    if (equals == text.npos) return wrong(text, "not of the form name=value");
    std::pair<std::string, std::string> sysctl(text.substr(0, equals), text.substr(equals + 1));
    if (!launch::is_sysctl_name(sysctl.first) || !launch::is_sysctl_value(sysctl.second))
        return wrong(text, "not the name and the value of a sysctl");
    const launch::SysctlOwner owner = launch::sysctl_owner(sysctl.first);
    if (owner != launch::SysctlOwner::Network && owner != launch::SysctlOwner::Ipc)
        return wrong(text, "not namespaced, it would change the whole machine");
    return sysctl;
}

}  // namespace orlop::plan
