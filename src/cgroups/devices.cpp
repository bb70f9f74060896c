#include <fcntl.h>
#include <sys/syscall.h>

#include <algorithm>

#include "cgroups/devices_program.h"
#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

long bpf(int command, bpf_attr& attr) {
    return syscall(SYS_bpf, command, &attr, sizeof attr);
}

uint64_t pointer(const void* p) {
    return reinterpret_cast<uint64_t>(p);
}

Result<UniqueFd> load(const std::vector<bpf_insn>& program) {
    static constexpr char license[] = "Apache-2.0";
    bpf_attr attr{};
    attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attr.insns = pointer(program.data());
    attr.insn_cnt = static_cast<__u32>(program.size());
    attr.license = pointer(license);
    UniqueFd fd(static_cast<int>(bpf(BPF_PROG_LOAD, attr)));
    if (!fd) return Error::sys("load the device program");
    return fd;
}

Result<std::vector<__u32>> attached(int cgroup) {
    std::vector<__u32> ids(64);
    bpf_attr attr{};
    attr.query.target_fd = static_cast<__u32>(cgroup);
    attr.query.attach_type = BPF_CGROUP_DEVICE;
    attr.query.prog_ids = pointer(ids.data());
    attr.query.prog_cnt = static_cast<__u32>(ids.size());
    if (bpf(BPF_PROG_QUERY, attr) != 0) return Error::sys("query device programs");
    ids.resize(attr.query.prog_cnt);
    return ids;
}

Status detach(int cgroup, __u32 id) {
    bpf_attr by_id{};
    by_id.prog_id = id;
    UniqueFd old(static_cast<int>(bpf(BPF_PROG_GET_FD_BY_ID, by_id)));
    if (!old) return Error::sys("open the old device program");
    bpf_attr attr{};
    attr.target_fd = static_cast<__u32>(cgroup);
    attr.attach_bpf_fd = static_cast<__u32>(old.get());
    attr.attach_type = BPF_CGROUP_DEVICE;
    if (bpf(BPF_PROG_DETACH, attr) != 0) return Error::sys("detach the old device program");
    return ok();
}

UniqueFd& opened(UniqueFd& fd, const std::string& path) {
    if (!fd) fd.reset(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    return fd;
}

}  // namespace

std::vector<DeviceLine> device_lines(const std::vector<DeviceRule>& rules) {
    const auto number = [](int64_t n) { return n < 0 ? std::string("*") : std::to_string(n); };
    std::vector<DeviceLine> out;
    size_t last_deny = 0;
    const auto add = [&](const DeviceRule& rule, std::string text) {
        DeviceLine line{rule.allow, std::move(text)};
        if (!rule.allow) last_deny = out.size();
        // What is allowed already, and not denied since, need not be said again.
        if (rule.allow &&
            std::find(out.begin() + static_cast<ptrdiff_t>(last_deny), out.end(), line) != out.end())
            return;
        out.push_back(std::move(line));
    };
    for (const DeviceRule& rule : rules) {
        const bool all = rule.type == 'a' && rule.major < 0 && rule.minor < 0 && has_all_access(rule);
        if (all) {
            add(rule, "a");
            continue;
        }
        const std::string rest = " " + number(rule.major) + ":" + number(rule.minor) + " " + rule.access;
        // The kernel reads "a" as everything, whatever follows.
        for (const char type : rule.type == 'a' ? std::string("bc") : std::string(1, rule.type))
            add(rule, type + rest);
    }
    return out;
}

Status apply_devices_v1(const std::string& dir, const std::vector<DeviceRule>& rules) {
    UniqueFd allow;
    UniqueFd deny;
    for (const auto& [allowed, text] : device_lines(rules)) {
        const std::string path = dir + (allowed ? "/devices.allow" : "/devices.deny");
        const UniqueFd& fd = opened(allowed ? allow : deny, path);
        if (!fd) return Error::sys("open " + path);
        if (write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            return Error::sys("write " + text + " to " + path);
    }
    return ok();
}

Status apply_devices_v2(const std::string& dir, const std::vector<DeviceRule>& rules) {
    const std::vector<bpf_insn> program = TRY(device_program(rules));
    UniqueFd fd = TRY(load(program));
    UniqueFd cgroup(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!cgroup) return Error::sys("open " + dir);
    const std::vector<__u32> before = TRY(attached(cgroup.get()));
    bpf_attr attr{};
    attr.target_fd = static_cast<__u32>(cgroup.get());
    attr.attach_bpf_fd = static_cast<__u32>(fd.get());
    attr.attach_type = BPF_CGROUP_DEVICE;
    attr.attach_flags = BPF_F_ALLOW_MULTI;
    if (bpf(BPF_PROG_ATTACH, attr) != 0) return Error::sys("attach the device program to " + dir);
    // All attached programs must agree, so the new one counts at once and there is no moment without any.
    for (const __u32 id : before) TRY(detach(cgroup.get(), id));
    return ok();
}

}  // namespace orlop::cgroups
