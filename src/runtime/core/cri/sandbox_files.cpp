#include "runtime/core/cri/sandbox_files.h"

#include <sys/mount.h>
#include <unistd.h>

#include "base/dir.h"
#include "runtime/core/cri/tear_down.h"
#include "runtime/plan/plan.h"

namespace orlop::core {

namespace {

constexpr size_t kSmallFile = 1u << 20;

std::string joined(const google::protobuf::RepeatedPtrField<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += " " + word;
    return out;
}

// Root of the pod as the host sees it; (uid, gid). What cannot be read was refused when the pod was made.
std::pair<uint32_t, uint32_t> root_of(const cri::PodSandboxConfig& config) {
    const auto user = plan::user_namespace(config).value_or(std::nullopt);
    return user ? std::pair(user->uids.outside, user->gids.outside) : std::pair(0u, 0u);
}

std::string own_hostname() {
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

}  // namespace

std::string resolv_conf_text(const cri::DNSConfig& dns) {
    std::string out;
    if (dns.searches_size() != 0) out += "search" + joined(dns.searches()) + "\n";
    for (const std::string& server : dns.servers()) out += "nameserver " + server + "\n";
    if (dns.options_size() != 0) out += "options" + joined(dns.options()) + "\n";
    return out;
}

std::string hosts_text(const std::string& hostname, const std::vector<std::string>& ips) {
    std::string out =
        "127.0.0.1\tlocalhost\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "fe00::\tip6-localnet\n"
        "ff02::1\tip6-allnodes\n"
        "ff02::2\tip6-allrouters\n";
    if (hostname.empty()) return out;
    for (const std::string& ip : ips) out += ip + "\t" + hostname + "\n";
    return out;
}

Status write_sandbox_files(const Paths& paths, const SandboxRecord& sandbox) {
    const Dir dir = TRY(Dir::open(paths.sandbox(sandbox.id)));
    const auto& config = sandbox.config;
    const bool on_host = host_network(config);
    const std::string hostname = config.hostname().empty() && on_host ? own_hostname() : config.hostname();
    // A host without these files gives its pods empty ones.
    const std::string resolv = config.has_dns_config()
                                   ? resolv_conf_text(config.dns_config())
                                   : read_file("/etc/resolv.conf", kSmallFile).value_or("");
    const std::string hosts =
        on_host ? read_file("/etc/hosts", kSmallFile).value_or("") : hosts_text(hostname, sandbox.ips);
    const auto [uid, gid] = root_of(config);
    const auto put = [&, uid = uid, gid = gid](const char* name, const std::string& text) -> Status {
        UniqueFd file = TRY(dir.open_file(name, O_WRONLY | O_CREAT | O_TRUNC, 0644));
        if (fchmod(file.get(), 0644) != 0) return Error::sys(std::string("chmod ") + name);
        if (fchown(file.get(), uid, gid) != 0) return Error::sys(std::string("chown ") + name);
        return write_all(file.get(), text);
    };
    TRY(put("hostname", hostname + "\n"));
    TRY(put("resolv.conf", resolv));
    return put("hosts", hosts);
}

Status mount_shm(const Paths& paths, const SandboxRecord& sandbox) {
    if (host_ipc(sandbox.config)) return ok();
    const std::string path = paths.shm(sandbox.id);
    TRY(make_dirs(path, 0711));
    const auto [uid, gid] = root_of(sandbox.config);
    const std::string options =
        "mode=1777,size=67108864,uid=" + std::to_string(uid) + ",gid=" + std::to_string(gid);
    if (mount("shm", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options.c_str()) != 0) {
        return Error::sys("mount tmpfs on " + path);
    }
    return ok();
}

}  // namespace orlop::core
