#include <sys/resource.h>

#include <algorithm>

#include "runtime/launch/capability_names.h"
#include "runtime/oci/spec/parts.h"

namespace orlop::oci {

namespace {

constexpr std::pair<std::string_view, uint32_t> kLimits[] = {{"RLIMIT_AS", RLIMIT_AS},
                                                             {"RLIMIT_CORE", RLIMIT_CORE},
                                                             {"RLIMIT_CPU", RLIMIT_CPU},
                                                             {"RLIMIT_DATA", RLIMIT_DATA},
                                                             {"RLIMIT_FSIZE", RLIMIT_FSIZE},
                                                             {"RLIMIT_LOCKS", RLIMIT_LOCKS},
                                                             {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
                                                             {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
                                                             {"RLIMIT_NICE", RLIMIT_NICE},
                                                             {"RLIMIT_NOFILE", RLIMIT_NOFILE},
                                                             {"RLIMIT_NPROC", RLIMIT_NPROC},
                                                             {"RLIMIT_RSS", RLIMIT_RSS},
                                                             {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
                                                             {"RLIMIT_RTTIME", RLIMIT_RTTIME},
                                                             {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
                                                             {"RLIMIT_STACK", RLIMIT_STACK}};

Status read_user(const Field& from, launch::Process& out) {
    TRY(from.object());
    // (uid_t)-1 would mean "leave it", that is root (CVE-2024-40635).
    out.user.uid = static_cast<uint32_t>(TRY(from["uid"].natural(UINT32_MAX - 1)).value_or(0));
    out.user.gid = static_cast<uint32_t>(TRY(from["gid"].natural(UINT32_MAX - 1)).value_or(0));
    out.user.strict_groups = true;
    for (const Field& gid : TRY(from["additionalGids"].items()))
        out.user.groups.push_back(static_cast<uint32_t>(*TRY(gid.natural(UINT32_MAX - 1))));
    if (const auto mask = TRY(from["umask"].natural(0777))) out.umask = static_cast<uint32_t>(*mask);
    return ok();
}

Status read_limits(const Field& list, launch::Process& out) {
    for (const Field& from : TRY(list.items())) {
        const std::string name = TRY(from["type"].required_text());
        const auto known =
            std::find_if(std::begin(kLimits), std::end(kLimits), [&](auto& l) { return l.first == name; });
        if (known == std::end(kLimits)) return from["type"].wrong("unknown limit \"" + name + "\"");
        const auto same = [&](const launch::Rlimit& l) { return l.resource == known->second; };
        if (std::any_of(out.rlimits.begin(), out.rlimits.end(), same))
            return from["type"].wrong("a second " + name);
        launch::Rlimit limit{.resource = known->second};
        limit.soft = TRY(from["soft"].natural(UINT64_MAX)).value_or(0);
        limit.hard = TRY(from["hard"].natural(UINT64_MAX)).value_or(0);
        if (limit.soft > limit.hard) return from["soft"].wrong("is above hard");
        out.rlimits.push_back(limit);
    }
    return ok();
}

// Names of kernels to come are left out: what this one does not know it cannot give.
Result<uint64_t> read_set(const Field& list, uint64_t ours) {
    uint64_t out = 0;
    for (const Field& from : TRY(list.items())) {
        const std::string name = TRY(from.required_text());
        const auto number = launch::capability_number(name);
        if (number) out |= uint64_t{1} << *number;
        if (!number && !name.starts_with("CAP_")) return from.wrong("\"" + name + "\" is no capability");
    }
    return out & ours;
}

Status read_capabilities(const Field& from, uint64_t ours, launch::Capabilities& out) {
    TRY(from.object());
    out.bounding = TRY(read_set(from["bounding"], ours));
    out.permitted = TRY(read_set(from["permitted"], ours));
    out.effective = TRY(read_set(from["effective"], ours)) & out.permitted;
    out.inheritable = TRY(read_set(from["inheritable"], ours));
    // capabilities(7): ambient ones are both permitted and inheritable.
    out.ambient = TRY(read_set(from["ambient"], ours)) & out.permitted & out.inheritable;
    return ok();
}

Status read_console(const Field& from, launch::Process& out) {
    if (!from.there()) return ok();
    const auto rows = TRY(from["height"].natural(UINT16_MAX));
    const auto columns = TRY(from["width"].natural(UINT16_MAX));
    if (!rows || !columns) return from.wrong("needs height and width");
    if (out.terminal) out.console_size = {static_cast<uint16_t>(*rows), static_cast<uint16_t>(*columns)};
    return ok();
}

Status check_env(const Field& list, const std::vector<std::string>& env) {
    for (size_t i = 0; i < env.size(); ++i) {
        const size_t equals = env[i].find('=');
        const std::string where = list.path() + "[" + std::to_string(i) + "]";
        if (equals == std::string::npos || equals == 0) return Error::invalid(where + ": is not NAME=value");
        // The home directory ends up in files made of lines (CVE-2022-4318).
        if (env[i].starts_with("HOME=") && env[i].find_first_of("\n\r:") != std::string::npos)
            return Error::invalid(where + ": HOME with a line break or colon");
    }
    return ok();
}

}  // namespace

Result<launch::Process> read_process(const Field& from, const HostFacts& facts) {
    launch::Process out;
    TRY(from.object());
    out.argv = TRY(from["args"].texts());
    out.env = TRY(from["env"].texts());
    TRY(check_env(from["env"], out.env));
    out.cwd = TRY(from["cwd"].required_text());
    if (out.cwd.front() != '/') return from["cwd"].wrong("must be absolute");
    out.terminal = TRY(from["terminal"].flag_or(false));
    TRY(read_console(from["consoleSize"], out));
    TRY(read_user(from["user"], out));
    TRY(read_capabilities(from["capabilities"], facts.capabilities, out.capabilities));
    TRY(read_limits(from["rlimits"], out));
    out.no_new_privileges = TRY(from["noNewPrivileges"].flag_or(false));
    if (const auto score = TRY(from["oomScoreAdj"].integer(-1000, 1000)))
        out.oom_score_adj = static_cast<int32_t>(*score);
    out.apparmor_profile = TRY(from["apparmorProfile"].text_or(""));
    out.selinux_label = TRY(from["selinuxLabel"].text_or(""));
    TRY(read_scheduling(from, out));
    return out;
}

}  // namespace orlop::oci
