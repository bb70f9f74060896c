// kernel: admin-guide/cgroup-v1/memory; admin-guide/cgroup-v2, "Memory Interface Files".
#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

Status check_swap(const Resources& r) {
    if (!r.memory_swap_limit || *r.memory_swap_limit < 0 || !r.memory_limit) return ok();
    if (*r.memory_limit < 0) return Error::invalid("memory.swap: a limit needs one of memory too");
    if (*r.memory_swap_limit < *r.memory_limit)
        return Error::invalid("memory.swap counts memory and swap together: it is below memory.limit");
    return ok();
}

Status add_swap_v1(const std::string& dir, const Resources& r, std::vector<Write>& writes) {
    // No limit of memory alone would be above an old one of both.
    const bool implied = !r.memory_swap_limit && r.memory_limit && *r.memory_limit < 0;
    if (!r.memory_swap_limit && !implied) return ok();
    const int64_t swap = r.memory_swap_limit.value_or(-1);
    const std::string file = dir + "/memory.memsw.limit_in_bytes";
    if (file_exists(file)) {
        writes.push_back({file, limit_text(swap, Version::V1)});
        return ok();
    }
    // Without swap accounting (swapaccount=0, no swap) "no more than memory" holds by itself.
    if (swap < 0 || r.memory_swap_limit == r.memory_limit) return ok();
    return Error::unimplemented("memory.swap: this kernel has no swap accounting (" + file + " is missing)");
}

Status apply_v1(const std::string& dir, const Resources& r) {
    std::vector<Write> writes;
    if (r.memory_limit)
        writes.push_back({dir + "/memory.limit_in_bytes", limit_text(*r.memory_limit, Version::V1)});
    TRY(add_swap_v1(dir, r, writes));
    TRY(write_in_some_order(std::move(writes)));
    if (r.memory_reservation)
        TRY(write_value(dir + "/memory.soft_limit_in_bytes", limit_text(*r.memory_reservation, Version::V1)));
    if (r.memory_swappiness)
        TRY(write_value(dir + "/memory.swappiness", std::to_string(*r.memory_swappiness)));
    if (r.disable_oom_killer)
        TRY(write_value(dir + "/memory.oom_control", *r.disable_oom_killer ? "1" : "0"));
    return ok();
}

Status write_swap_v2(const std::string& dir, const Resources& r) {
    const std::string file = dir + "/memory.swap.max";
    int64_t swap = -1;
    if (*r.memory_swap_limit >= 0) {
        // v2 counts swap alone, CRI and OCI memory plus swap.
        const uint64_t memory =
            r.memory_limit ? static_cast<uint64_t>(*r.memory_limit) : TRY(read_number(dir + "/memory.max"));
        if (memory == UINT64_MAX) return Error::invalid("memory.swap: a limit needs one of memory too");
        swap = *r.memory_swap_limit - static_cast<int64_t>(memory);
        if (swap < 0)
            return Error::invalid(
                "memory.swap counts memory and swap together: it is below the limit of memory");
    }
    if (swap <= 0 && !file_exists(file)) return ok();
    return write_value(file, limit_text(swap, Version::V2)).under("memory.swap");
}

Status apply_v2(const std::string& dir, const Resources& r) {
    // Swap first: a lower limit of memory may need the room at once.
    if (r.memory_swap_limit) TRY(write_swap_v2(dir, r));
    if (r.memory_limit) TRY(write_value(dir + "/memory.max", limit_text(*r.memory_limit, Version::V2)));
    if (r.memory_reservation)
        TRY(write_value(dir + "/memory.low", limit_text(*r.memory_reservation, Version::V2)));
    return ok();
}

}  // namespace

Status apply_memory(const std::string& dir, Version version, const Resources& r) {
    TRY(check_swap(r));
    return version == Version::V1 ? apply_v1(dir, r) : apply_v2(dir, r);
}

}  // namespace orlop::cgroups
