// Seccomp profiles as users write them: the OCI runtime-spec's linux.seccomp object, and docker's form of it
// (archMap, single `name`, includes and excludes by capability, architecture and kernel).
#include "runtime/seccomp/profile.h"

#include <sys/utsname.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/launch/capability_names.h"
#include "runtime/seccomp/filter.h"

namespace orlop::seccomp {

namespace {

using nlohmann::json;

// What nlohmann throws for a field of the wrong type is caught in compile_profile.
template <class T>
T value_of(const json& object, const char* key, T otherwise) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? otherwise : found->get<T>();
}

const json& list_of(const json& object, const char* key) {
    static const json kEmpty = json::array();
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? kEmpty : *found;
}

// runtime-spec: the errno of SCMP_ACT_ERRNO and SCMP_ACT_TRACE is EPERM unless errnoRet says otherwise.
Result<uint32_t> action_of(const std::string& name, std::optional<uint32_t> errno_ret) {
    constexpr uint32_t kMaxErrno = 4095;  // what the kernel takes, SECCOMP_RET_DATA is cut to it
    const uint32_t number = errno_ret.value_or(EPERM);
    if (number > kMaxErrno) return Error::invalid("errnoRet " + std::to_string(number) + " is no errno");
    if (name == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
    if (name == "SCMP_ACT_LOG") return SCMP_ACT_LOG;
    if (name == "SCMP_ACT_TRAP") return SCMP_ACT_TRAP;
    if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SCMP_ACT_KILL_THREAD;
    if (name == "SCMP_ACT_KILL_PROCESS") return SCMP_ACT_KILL_PROCESS;
    if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(number);
    if (name == "SCMP_ACT_TRACE") return SCMP_ACT_TRACE(number);
    if (name == "SCMP_ACT_NOTIFY") return SCMP_ACT_NOTIFY;
    return Error::invalid("unknown action \"" + name + "\"");
}

std::optional<uint32_t> errno_of(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return std::nullopt;
    return found->get<uint32_t>();
}

Result<scmp_arg_cmp> condition_of(const json& arg) {
    const auto op = value_of<std::string>(arg, "op", "");
    const auto index = value_of<unsigned>(arg, "index", 0);
    const auto value = value_of<uint64_t>(arg, "value", 0);
    if (index > 5) return Error::invalid("argument index " + std::to_string(index) + " is above 5");
    if (op == "SCMP_CMP_MASKED_EQ") {
        return scmp_arg_cmp{index, SCMP_CMP_MASKED_EQ, value, value_of<uint64_t>(arg, "valueTwo", 0)};
    }
    constexpr std::pair<std::string_view, scmp_compare> kOperators[] = {
        {"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT}, {"SCMP_CMP_LE", SCMP_CMP_LE},
        {"SCMP_CMP_EQ", SCMP_CMP_EQ}, {"SCMP_CMP_GE", SCMP_CMP_GE}, {"SCMP_CMP_GT", SCMP_CMP_GT}};
    for (const auto& [name, compare] : kOperators) {
        if (op == name) return scmp_arg_cmp{index, compare, value, 0};
    }
    return Error::invalid("unknown operator \"" + op + "\"");
}

// Go's names, which docker's includes and excludes use.
std::string_view go_architecture() {
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#else
    return "";
#endif
}

bool names_architecture(const json& filter) {
    const json& names = list_of(filter, "arches");
    return std::any_of(names.begin(), names.end(),
                       [](const json& name) { return name.get<std::string>() == go_architecture(); });
}

bool holds(const json& capability_name, uint64_t capabilities) {
    const auto number = launch::capability_number(capability_name.get<std::string>());
    return number && (capabilities >> *number & 1) != 0;
}

// "4.8" against uname(2): a profile may depend on what the running kernel does.
bool kernel_is_at_least(const std::string& wanted) {
    utsname host{};
    unsigned want[2] = {0, 0};
    unsigned have[2] = {0, 0};
    if (uname(&host) != 0) return false;
    if (std::sscanf(wanted.c_str(), "%u.%u", &want[0], &want[1]) < 1) return false;
    if (std::sscanf(host.release, "%u.%u", &have[0], &have[1]) != 2) return false;
    return std::pair(have[0], have[1]) >= std::pair(want[0], want[1]);
}

bool applies(const json& rule, uint64_t capabilities) {
    const auto include = rule.find("includes");
    if (include != rule.end() && include->is_object()) {
        const json& caps = list_of(*include, "caps");
        if (!std::all_of(caps.begin(), caps.end(), [&](const json& c) { return holds(c, capabilities); })) {
            return false;
        }
        if (!list_of(*include, "arches").empty() && !names_architecture(*include)) return false;
        const auto kernel = value_of<std::string>(*include, "minKernel", "");
        if (!kernel.empty() && !kernel_is_at_least(kernel)) return false;
    }
    const auto exclude = rule.find("excludes");
    if (exclude != rule.end() && exclude->is_object()) {
        const json& caps = list_of(*exclude, "caps");
        if (std::any_of(caps.begin(), caps.end(), [&](const json& c) { return holds(c, capabilities); })) {
            return false;
        }
        if (names_architecture(*exclude)) return false;
        const auto kernel = value_of<std::string>(*exclude, "minKernel", "");
        if (!kernel.empty() && kernel_is_at_least(kernel)) return false;
    }
    return true;
}

Status add_rule(SeccompFilter& filter, const json& rule) {
    const uint32_t action =
        TRY(action_of(value_of<std::string>(rule, "action", ""), errno_of(rule, "errnoRet")));
    std::vector<scmp_arg_cmp> conditions;
    uint32_t seen = 0;
    bool repeated = false;
    for (const json& arg : list_of(rule, "args")) {
        conditions.push_back(TRY(condition_of(arg)));
        const uint32_t bit = 1u << conditions.back().arg;
        repeated = repeated || (seen & bit) != 0;
        seen |= bit;
    }
    std::vector<std::string> names = value_of<std::vector<std::string>>(rule, "names", {});
    if (const auto name = value_of<std::string>(rule, "name", ""); !name.empty()) names.push_back(name);
    if (names.empty()) return Error::invalid("a rule without names");
    for (const std::string& name : names) {
        // libseccomp takes one condition an argument; the other runtimes read several as alternatives, and
        // profiles in the field count on it.
        if (!repeated) {
            TRY(filter.add(name, action, conditions));
            continue;
        }
        for (const scmp_arg_cmp& condition : conditions) TRY(filter.add(name, action, {condition}));
    }
    return ok();
}

Status add_architecture(SeccompFilter& filter, const std::string& name) {
    constexpr std::string_view kPrefix = "SCMP_ARCH_";
    if (name == "SCMP_ARCH_NATIVE") return ok();
    if (!name.starts_with(kPrefix)) return Error::invalid("unknown architecture \"" + name + "\"");
    std::string lower = name.substr(kPrefix.size());
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const uint32_t architecture = seccomp_arch_resolve_name(lower.c_str());
    if (architecture == 0) return Error::invalid("unknown architecture \"" + name + "\"");
    return filter.add_architecture(architecture);
}

Status add_architectures(SeccompFilter& filter, const json& profile) {
    for (const json& name : list_of(profile, "architectures")) {
        TRY(add_architecture(filter, name.get<std::string>()));
    }
    for (const json& family : list_of(profile, "archMap")) {
        const auto main = value_of<std::string>(family, "architecture", "");
        std::string native;
#if defined(__x86_64__)
        native = "SCMP_ARCH_X86_64";
#elif defined(__aarch64__)
        native = "SCMP_ARCH_AARCH64";
#endif
        if (main != native) continue;
        for (const json& name : list_of(family, "subArchitectures")) {
            TRY(add_architecture(filter, name.get<std::string>()));
        }
    }
    return ok();
}

// seccomp(2); the listener's is not a user's to give.
constexpr std::pair<std::string_view, uint32_t> kFlags[] = {
    {"SECCOMP_FILTER_FLAG_TSYNC", 1u << 0},
    {"SECCOMP_FILTER_FLAG_LOG", 1u << 1},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", 1u << 2},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 1u << 5},
};
constexpr uint32_t kTsync = 1u << 0, kNewListener = 1u << 3;

Result<uint32_t> read_flags(const json& profile) {
    uint32_t flags = 0;
    for (const json& flag : list_of(profile, "flags")) {
        const auto name = flag.get<std::string>();
        const auto known =
            std::find_if(std::begin(kFlags), std::end(kFlags), [&](auto& f) { return f.first == name; });
        if (known == std::end(kFlags)) return Error::invalid("unknown flag \"" + name + "\"");
        flags |= known->second;
    }
    // A container starts with one thread, so there is nothing to synchronize.
    return flags & ~kTsync;
}

bool notifies(const json& rule) {
    return value_of<std::string>(rule, "action", "") == "SCMP_ACT_NOTIFY";
}

bool names(const json& rule, std::string_view syscall) {
    for (const json& name : list_of(rule, "names")) {
        if (name.get<std::string>() == syscall) return true;
    }
    return value_of<std::string>(rule, "name", "") == syscall;
}

// The descriptor of a listener is handed over by sendmsg after the filter is loaded: whoever would decide
// about that call is the one who waits for it.
Result<bool> needs_listener(const json& profile) {
    bool needed = value_of<std::string>(profile, "defaultAction", "") == "SCMP_ACT_NOTIFY";
    if (needed) return Error::invalid("defaultAction SCMP_ACT_NOTIFY would stop the runtime itself");
    for (const json& rule : list_of(profile, "syscalls")) {
        if (!rule.is_object() || !notifies(rule)) continue;
        needed = true;
        if (names(rule, "sendmsg"))
            return Error::invalid("SCMP_ACT_NOTIFY for sendmsg, which hands over the listener");
    }
    return needed;
}

Result<Filter> compile(const json& profile, uint64_t capabilities) {
    if (!profile.is_object()) return Error::invalid("not a JSON object");
    Filter out;
    out.flags = TRY(read_flags(profile));
    out.listener_path = value_of<std::string>(profile, "listenerPath", "");
    out.listener_metadata = value_of<std::string>(profile, "listenerMetadata", "");
    const bool listener = TRY(needs_listener(profile));
    if (listener && out.listener_path.empty())
        return Error::invalid("SCMP_ACT_NOTIFY without a listenerPath");
    if (listener) {
        out.flags |= kNewListener;
    } else {
        out.listener_path.clear();
        out.listener_metadata.clear();
    }
    SeccompFilter filter = TRY(SeccompFilter::make(TRY(action_of(
        value_of<std::string>(profile, "defaultAction", ""), errno_of(profile, "defaultErrnoRet")))));
    TRY(add_architectures(filter, profile));
    for (const json& rule : list_of(profile, "syscalls")) {
        if (!rule.is_object()) return Error::invalid("an entry of syscalls is not an object");
        if (applies(rule, capabilities)) TRY(add_rule(filter, rule));
    }
    out.program = TRY(filter.compile());
    return out;
}

}  // namespace

Result<Filter> compile_profile(std::string_view text, uint64_t bounding_capabilities) {
    try {
        return compile(json::parse(text), bounding_capabilities).under("seccomp profile");
    } catch (const json::exception& error) {
        return Error::invalid(std::string("seccomp profile: ") + error.what());
    }
}

}  // namespace orlop::seccomp
