#include "runtime/oci/bundle.h"

#include <sys/stat.h>

#include <cstdlib>

#include "base/dir.h"
#include "runtime/seccomp/profile.h"

namespace orlop::oci {

namespace {

constexpr size_t kConfigLimit = 64u << 20;
constexpr auto kNotifyPath = "/run/notify/notify.sock";

}  // namespace

Result<Bundle> load_bundle(const std::string& directory) {
    char* real = realpath(directory.empty() ? "." : directory.c_str(), nullptr);
    if (real == nullptr) return Error::sys("bundle " + directory);
    Bundle bundle{.path = real, .config = {}};
    std::free(real);
    auto config = read_file(bundle.path + "/config.json", kConfigLimit);
    if (!config && config.error().kind() == Kind::NotFound) {
        return Error::not_found("JSON specification file " + bundle.path + "/config.json not found");
    }
    bundle.config = TRY(std::move(config));
    return bundle;
}

Status fill_seccomp(const Settings& settings, const std::string& profile, launch::Process& process) {
    if (profile.empty()) return ok();
    // An OCI profile has no rules that depend on capabilities.
    auto filter = TRY(seccomp::compile_profile_cached(profile, process.capabilities.bounding,
                                                      settings.root + "/.cache/seccomp")
                          .under("linux.seccomp"));
    process.seccomp = {.filter = std::move(filter.program),
                       .flags = filter.flags,
                       .listener_path = std::move(filter.listener_path),
                       .listener_metadata = std::move(filter.listener_metadata)};
    return ok();
}

void add_notify_socket(launch::LaunchPlan& plan) {
    const char* socket = getenv("NOTIFY_SOCKET");
    struct stat st {};
    // An abstract socket ("@...") belongs to the network namespace and cannot be shown in another.
    if (socket == nullptr || socket[0] != '/' || stat(socket, &st) != 0 || !S_ISSOCK(st.st_mode)) return;
    launch::Mount mount{.type = "bind", .source = socket, .target = kNotifyPath};
    mount.make_directory = false;
    plan.mounts.push_back(std::move(mount));
    plan.process.env.push_back(std::string("NOTIFY_SOCKET=") + kNotifyPath);
}

}  // namespace orlop::oci
