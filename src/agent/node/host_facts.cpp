#include "agent/node/host_facts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include <array>
#include <memory>

#include "base/dir.h"

namespace orlop::agent {

namespace {

std::string text_of(const sockaddr* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address->sa_family == AF_INET) {
        const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
        inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    } else {
        const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
        inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    }
    return text.data();
}

// Connecting a datagram socket sends nothing: it asks the routing table which address would be used.
std::string routed_address() {
    const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(9);
    to.sin_addr.s_addr = htonl(0xC0000201);  // 192.0.2.1, reserved for documentation (RFC 5737)
    if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return {};
    sockaddr_in own{};
    socklen_t size = sizeof own;
    if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0) return {};
    return text_of(reinterpret_cast<const sockaddr*>(&own));
}

std::string first_address() {
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) return {};
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
    for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
        if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET) continue;
        if ((each->ifa_flags & IFF_LOOPBACK) == 0 && (each->ifa_flags & IFF_UP) != 0)
            return text_of(each->ifa_addr);
    }
    return {};
}

Status check_directory(const std::string& path, const char* flag) {
    struct stat st {};
    if (stat(path.c_str(), &st) != 0) return errno == ENOENT ? ok() : Status(Error::sys(path));
    if (!S_ISDIR(st.st_mode)) return Error::precondition(path + " is no directory: give another by " + flag);
    if (st.st_uid != 0)
        return Error::precondition(path + " belongs to uid " + std::to_string(st.st_uid) +
                                   ": it must belong to root (chown root " + path + ")");
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return Error::precondition(path + " can be written by others than root (chmod go-w " + path + ")");
    return ok();
}

}  // namespace

std::string find_node_ip() {
    if (std::string ip = routed_address(); !ip.empty()) return ip;
    if (std::string ip = first_address(); !ip.empty()) return ip;
    return "127.0.0.1";
}

Result<NodeFacts> gather_facts(const Options& options, bool cgroup_v2) {
    const kube::KubeletConfig& c = options.config;
    NodeFacts out;
    out.node_name = options.node_name;
    out.host_ip = options.node_ip.empty() ? find_node_ip() : options.node_ip;
    out.paths = {options.root_dir, c.pod_logs_dir};
    if (!c.resolv_conf.empty()) {
        const auto text = read_file(c.resolv_conf, 1 << 16);
        if (text)
            out.host_resolver = parse_resolv_conf(*text);
        else if (text.error().kind() != Kind::NotFound)
            return text.error();
    }
    out.cluster_dns = c.cluster_dns;
    out.cluster_domain = c.cluster_domain;
    struct sysinfo info {};
    if (sysinfo(&info) != 0) return Error::sys("sysinfo");
    out.memory_capacity = static_cast<int64_t>(info.totalram) * static_cast<int64_t>(info.mem_unit);
    out.cpu_milli = sysconf(_SC_NPROCESSORS_ONLN) * 1000;
    out.cpu.quota = c.cpu_cfs_quota;
    out.cpu.period_us = std::chrono::duration_cast<std::chrono::microseconds>(c.cpu_cfs_period.value).count();
    out.cgroup_root = c.cgroup_root;
    out.cgroups_per_qos = c.cgroups_per_qos;
    out.unified_cgroups = cgroup_v2;
    out.oom_kills_group = !c.single_process_oom_kill;
    out.seccomp_default = c.seccomp_default;
    out.pids_limit = c.pod_pids_limit;
    return out;
}

Result<UniqueFd> lock_root(const Paths& paths) {
    const Dir dir = TRY(Dir::make(paths.own(), 0700));
    UniqueFd fd = TRY(dir.open_file("agent.lock", O_RDWR | O_CREAT, 0600, Resolve::NoSymlinks));
    if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
    if (errno != EWOULDBLOCK) return Error::sys("lock " + dir.path() + "/agent.lock");
    return Error(Kind::Exists, "another agent runs with --root-dir " + paths.root +
                                   ": stop it, or give this one a directory of its own");
}

Status check_host(const Options& options) {
    if (geteuid() != 0) return Error::precondition("must be run as root");
    TRY(check_directory(options.root_dir, "--root-dir"));
    return check_directory(options.root_dir + "/orlop", "--root-dir");
}

}  // namespace orlop::agent
