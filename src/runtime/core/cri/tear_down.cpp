#include "runtime/core/cri/tear_down.h"

#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <future>

#include "base/spawn.h"
#include "netns/netns.h"

namespace orlop::core {

namespace {

constexpr Nanos kShutdown = std::chrono::seconds(5);
constexpr Nanos kShimDeath = std::chrono::seconds(5);

class Failures {
  public:
    void add(const std::string& step, Status status) {
        if (status) return;
        Error error = std::move(status).error().under(step);
        first_ = first_ ? std::move(*first_).also(error) : std::move(error);
    }
    Status result() && { return first_ ? Status(std::move(*first_)) : ok(); }

  private:
    std::optional<Error> first_;
};

const cri::NamespaceOption& namespaces(const cri::PodSandboxConfig& config) {
    return config.linux().security_context().namespace_options();
}

std::string in_lower_case(const std::string& protocol) {
    std::string out;
    for (const char c : protocol) out.push_back(static_cast<char>(c | 0x20));
    return out;
}

Status release_network(Parts& parts, const SandboxRecord& sandbox) {
    if (sandbox.netns.empty()) return ok();
    Status detached = ok();
    if (sandbox.attached) {
        netns::Attachment attachment = attachment_of(sandbox);
        // CNI SPEC, DEL: without a namespace the plugins still free what they keep elsewhere (addresses).
        if (!netns::alive(sandbox.netns)) attachment.netns.clear();
        auto network = parts.networks.current();
        detached = parts.cni.del(network ? std::optional(std::move(*network)) : std::nullopt, attachment);
    }
    // The namespace stays for the next attempt while its network could not be taken down.
    if (!detached) return detached;
    return netns::remove(sandbox.netns);
}

Status unmount_shm(const std::string& path) {
    // umount2(2): EINVAL = not a mount point, ENOENT = never made.
    if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT) {
        return Error::sys("umount " + path);
    }
    return ok();
}

Status remove_below(const std::string& parent, const std::string& name) {
    auto dir = Dir::open(parent);
    if (!dir) return dir.error().errnum() == ENOENT ? ok() : Status(std::move(dir).error());
    return dir->remove_tree(name);
}

// Is this process the shim of that directory? Pids are reused: its command line names the directory.
bool is_shim_of(int32_t pid, const std::string& shim_dir) {
    const std::string line = read_file("/proc/" + std::to_string(pid) + "/cmdline").value_or("");
    return line.find(std::string(1, '\0') + shim_dir + '\0') != std::string::npos;
}

Status kill_shim(int32_t pid, const std::string& shim_dir) {
    if (pid <= 0) return ok();
    UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd || !is_shim_of(pid, shim_dir)) return ok();
    if (syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0) != 0 && errno != ESRCH) {
        return Error::sys("kill shim " + std::to_string(pid));
    }
    pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
    const auto ms = std::chrono::duration_cast<Millis>(kShimDeath).count();
    if (poll(&ended, 1, static_cast<int>(ms)) == 0) {
        return Error::timed_out("shim " + std::to_string(pid) + " does not die after SIGKILL");
    }
    return ok();
}

}  // namespace

bool host_network(const cri::PodSandboxConfig& config) {
    return namespaces(config).network() == cri::NODE;
}

bool host_ipc(const cri::PodSandboxConfig& config) {
    return namespaces(config).ipc() == cri::NODE;
}

netns::Attachment attachment_of(const SandboxRecord& sandbox) {
    const auto& metadata = sandbox.config.metadata();
    netns::Attachment out{.container_id = sandbox.id,
                          .netns = sandbox.netns,
                          .pod_namespace = metadata.namespace_(),
                          .pod_name = metadata.name(),
                          .pod_uid = metadata.uid()};
    for (const auto& port : sandbox.config.port_mappings()) {
        if (port.host_port() == 0) continue;
        out.ports.push_back({.container_port = port.container_port(),
                             .host_port = port.host_port(),
                             .protocol = in_lower_case(cri::Protocol_Name(port.protocol())),
                             .host_ip = port.host_ip()});
    }
    for (const auto& [key, value] : sandbox.config.annotations()) out.annotations[key] = value;
    return out;
}

Status end_shim(ShimHub& hub, const Paths& paths, const std::string& sandbox, int32_t shim_pid) {
    if (hub.connected(sandbox)) {
        const bool ended = hub.call(sandbox, shim::Shutdown{}, {}, kShutdown).ok();
        hub.disconnect(sandbox);
        if (ended) return ok();
    }
    return kill_shim(shim_pid, paths.shim(sandbox));
}

Status release_shm(const Paths& paths, const std::string& sandbox) {
    TRY(unmount_shm(paths.shm(sandbox)));
    return remove_below(paths.volatile_sandboxes(), sandbox);
}

Status tear_down(Parts& parts, const SandboxRecord& sandbox) {
    Failures failures;
    auto network = std::async(std::launch::async, [&] { return release_network(parts, sandbox); });
    failures.add("shim", end_shim(parts.hub, parts.paths, sandbox.id, sandbox.shim_pid));
    failures.add("cgroup", parts.driver.remove_pod(sandbox.config.linux().cgroup_parent(), sandbox.id));
    failures.add("network", network.get());
    failures.add("shm", release_shm(parts.paths, sandbox.id));
    failures.add("state", remove_below(parts.paths.shims(), sandbox.id));
    return std::move(failures).result();
}

}  // namespace orlop::core
