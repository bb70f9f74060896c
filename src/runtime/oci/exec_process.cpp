#include "runtime/oci/exec_process.h"

#include <algorithm>
#include <cstdlib>

#include "base/weak.h"
#include "runtime/oci/options_parts.h"

namespace orlop::oci {

namespace {

bool is_number(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// setresuid(2): -1 means "leave it", that is root (CVE-2024-40635).
Result<uint32_t> id_of(const std::string& flag, const std::string& text) {
    if (weakened("id-range")) return static_cast<uint32_t>(std::strtoull(text.c_str(), nullptr, 10));
    const auto id = TRY(number_of<uint32_t>(flag, text));
    if (id == UINT32_MAX) return Error::invalid(flag + ": " + text + " is nobody's number");
    return id;
}

// "uid[:gid]"; names are looked up in the container, as crun and docker do.
Status set_user(launch::User& user, const std::string& text) {
    if (text.empty()) return ok();
    const size_t colon = text.find(':');
    const std::string uid = text.substr(0, colon);
    const std::string gid = colon == std::string::npos ? "" : text.substr(colon + 1);
    if (!is_number(uid) || (colon != std::string::npos && !is_number(gid))) {
        const launch::User named{.user = text, .uid = {}, .gid = {}, .groups = user.groups};
        user = named;
        return ok();
    }
    user.uid = TRY(id_of("--user", uid));
    if (!gid.empty()) user.gid = TRY(id_of("--user", gid));
    return ok();
}

void add_capabilities(launch::Capabilities& sets, uint64_t more) {
    sets.bounding |= more;
    sets.permitted |= more;
    sets.effective |= more;
    if (weakened("inheritable")) sets.inheritable |= more;
    // capabilities(7): ambient ones must be inheritable; none are made so here.
    sets.ambient |= more & sets.inheritable;
}

// A later value replaces an earlier one of the same name.
void set_variable(std::vector<std::string>& env, const std::string& variable) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    std::erase_if(env, [&name](const std::string& old) { return !name.empty() && old.starts_with(name); });
    env.push_back(variable);
}

bool leaves(const std::string& path) {
    for (size_t at = 0; at <= path.size();) {
        const size_t end = std::min(path.find('/', at), path.size());
        if (path.compare(at, end - at, "..") == 0) return true;
        at = end + 1;
    }
    return false;
}

// Whether the v1 directory, `<mount><container's path>`, is of a hierarchy with that controller.
bool has_controller(const std::string& directory, const std::string& container,
                    const std::string& controller) {
    if (!directory.ends_with(container)) return false;
    const std::string mount = directory.substr(0, directory.size() - container.size());
    const std::string names = "," + mount.substr(mount.rfind('/') + 1) + ",";
    return names.find("," + controller + ",") != std::string::npos;
}

}  // namespace

Result<launch::Process> process_for(const ExecOptions& options, launch::Process process,
                                    uint64_t capabilities) {
    if (options.process_file.empty()) {
        process.argv = options.command;
        process.terminal = options.terminal;
        if (!options.cwd.empty()) process.cwd = options.cwd;
        if (!options.process_label.empty()) process.selinux_label = options.process_label;
        if (!options.apparmor.empty()) process.apparmor_profile = options.apparmor;
        if (options.no_new_privileges) process.no_new_privileges = true;
        for (const std::string& variable : options.env) set_variable(process.env, variable);
        TRY(set_user(process.user, options.user));
        add_capabilities(process.capabilities, capabilities);
        for (const std::string& gid : options.additional_gids) {
            process.user.groups.push_back(TRY(id_of("--additional-gids", gid)));
        }
    }
    if (options.terminal) process.terminal = true;
    return process;
}

Result<launch::CgroupJoin> cgroup_for(const std::vector<std::string>& wanted, launch::CgroupJoin container) {
    const std::string base = container.path;
    for (const std::string& text : wanted) {
        const size_t colon = text.find(':');
        const std::string path = text.substr(colon == std::string::npos ? 0 : colon + 1);
        if (leaves(path)) return Error::invalid("--cgroup " + text + " is not below the container's cgroup");
        const std::string below = path.empty() || path == "/" ? "" : (path.front() == '/' ? "" : "/") + path;
        if (colon == std::string::npos) {
            if (!container.v2_dir.empty()) container.v2_dir += below;
            for (std::string& dir : container.v1_dirs) dir += below;
            continue;
        }
        if (container.v1_dirs.empty())
            return Error::invalid("--cgroup " + text + ": cgroup v2 has one hierarchy");
        const std::string controller = text.substr(0, text.find_first_of(",:"));
        const auto dir =
            std::find_if(container.v1_dirs.begin(), container.v1_dirs.end(),
                         [&](const std::string& d) { return has_controller(d, base, controller); });
        if (dir == container.v1_dirs.end())
            return Error::invalid("--cgroup " + text + ": no such controller");
        *dir += below;
    }
    return container;
}

}  // namespace orlop::oci
