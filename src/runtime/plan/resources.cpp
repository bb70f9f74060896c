#include <algorithm>

#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

using Limits = cri::LinuxContainerResources;

std::string field(std::string_view name) {
    return std::string("linux.resources.").append(name);
}

// -1 is "no limit"; below it is nothing.
Status check_limit(std::string_view name, int64_t value) {
    if (value >= -1) return ok();
    return Error::invalid(field(name) + ": " + std::to_string(value) + " is below -1");
}

Status check_not_negative(std::string_view name, int64_t value) {
    if (value >= 0) return ok();
    return Error::invalid(field(name) + ": " + std::to_string(value) + " is negative");
}

Status plan_cpu(const Limits& from, cgroups::Resources& to) {
    TRY(check_not_negative("cpu_period", from.cpu_period()));
    TRY(check_not_negative("cpu_shares", from.cpu_shares()));
    TRY(check_limit("cpu_quota", from.cpu_quota()));
    if (from.cpu_period() != 0) to.cpu_period_us = static_cast<uint64_t>(from.cpu_period());
    if (from.cpu_quota() != 0) to.cpu_quota_us = from.cpu_quota();
    // The kernel's own bounds, to which it cuts without a word.
    if (from.cpu_shares() != 0) {
        to.cpu_shares = std::clamp<uint64_t>(static_cast<uint64_t>(from.cpu_shares()), 2, 262144);
    }
    const std::pair<std::string_view, const std::string&> lists[] = {{"cpuset_cpus", from.cpuset_cpus()},
                                                                     {"cpuset_mems", from.cpuset_mems()}};
    for (const auto& [name, list] : lists) {
        if (list.find_first_not_of("0123456789,-:/") != std::string::npos) {
            return Error::invalid(field(name) + ": \"" + printable(list) + "\" is not a list such as 0-3,7");
        }
    }
    if (!from.cpuset_cpus().empty()) to.cpuset_cpus = from.cpuset_cpus();
    if (!from.cpuset_mems().empty()) to.cpuset_mems = from.cpuset_mems();
    return ok();
}

Status plan_memory(const Limits& from, cgroups::Resources& to) {
    const int64_t limit = from.memory_limit_in_bytes();
    const int64_t swap = from.memory_swap_limit_in_bytes();
    TRY(check_limit("memory_limit_in_bytes", limit));
    TRY(check_limit("memory_swap_limit_in_bytes", swap));
    if (limit != 0) to.memory_limit = limit;
    if (swap != 0) {
        const bool below = swap > 0 && limit > 0 && swap < limit;
        if (below || (swap > 0 && limit == -1)) {
            return Error::invalid(field("memory_swap_limit_in_bytes") + ": " + std::to_string(swap) +
                                  " is below the memory limit, which it includes");
        }
        to.memory_swap_limit = swap;
    } else if (limit != 0) {
        // No swap by default: memory and swap together may not exceed the memory.
        to.memory_swap_limit = limit;
    }
    return ok();
}

Status plan_hugepages(const Limits& from, const NodeFacts& facts, cgroups::Resources& to) {
    for (int i = 0; i < from.hugepage_limits_size(); ++i) {
        const cri::HugepageLimit& limit = from.hugepage_limits(i);
        if (facts.hugepage_sizes.contains(limit.page_size())) {
            to.hugepages[limit.page_size()] = limit.limit();
        } else if (limit.limit() != 0) {
            // The kubelet limits every size it ever heard of to 0: without such pages that holds already.
            return Error::invalid(field(element("hugepage_limits", i, "page_size")) +
                                  ": this machine has no \"" + printable(limit.page_size()) + "\" pages");
        }
    }
    return ok();
}

Status plan_unified(const Limits& from, const NodeFacts& facts, cgroups::Resources& to) {
    if (!from.unified().empty() && !facts.cgroup_v2) {
        return Error::invalid(field("unified") + ": this machine has cgroup v1");
    }
    for (const auto& [file, content] : from.unified()) {
        const std::string of = field("unified") + "[\"" + printable(file) + "\"]";
        const bool well_formed =
            file.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") ==
                std::string::npos &&
            file.find('.') != std::string::npos && file.front() != '.';
        if (!well_formed) return Error::invalid(of + ": not the name of a cgroup file");
        // Membership, delegation and killing are the runtime's.
        if (file.starts_with("cgroup.")) return Error::invalid(of + ": not a limit");
        TRY(check_no_nul(of, content));
        to.unified[file] = content;
    }
    return ok();
}

}  // namespace

Result<cgroups::Resources> plan_limits(const Limits& resources, const NodeFacts& facts) {
    cgroups::Resources out;
    TRY(plan_cpu(resources, out));
    TRY(plan_memory(resources, out));
    TRY(plan_hugepages(resources, facts, out));
    TRY(plan_unified(resources, facts, out));
    return out;
}

Result<cgroups::Resources> plan_resources(const cri::ContainerConfig& config, const NodeFacts& facts,
                                          const std::vector<FoundDevice>& devices) {
    cgroups::Resources out = TRY(plan_limits(config.linux().resources(), facts));
    if (facts.pids_limit > 0) out.pids_limit = facts.pids_limit;
    out.devices = TRY(plan_device_rules(config, devices));
    return out;
}

}  // namespace orlop::plan
