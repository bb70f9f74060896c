#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

Status write_swap_v1(const std::string& dir, const Resources& r) {
    const std::string file = dir + "/memory.memsw.limit_in_bytes";
    if (file_exists(file)) return write_value(file, std::to_string(*r.memory_swap_limit));
    // Without swap accounting (swapaccount=0, no swap) "no more than memory" holds by itself.
    if (*r.memory_swap_limit < 0 || r.memory_swap_limit == r.memory_limit) return ok();
    return Error::unimplemented("memory_swap_limit_in_bytes: this kernel has no swap accounting (" + file +
                                " is missing)");
}

Status apply_v1(const std::string& dir, const Resources& r) {
    const std::string file = dir + "/memory.limit_in_bytes";
    if (!r.memory_limit) return r.memory_swap_limit ? write_swap_v1(dir, r) : ok();
    auto written = write_value(file, std::to_string(*r.memory_limit));
    // memory.memsw must never be below memory: when both grow, the outer one goes first.
    if (!written && written.error().errnum() == EINVAL && r.memory_swap_limit) {
        TRY(write_swap_v1(dir, r));
        return write_value(file, std::to_string(*r.memory_limit));
    }
    TRY(std::move(written));
    return r.memory_swap_limit ? write_swap_v1(dir, r) : ok();
}

Status apply_v2(const std::string& dir, const Resources& r) {
    if (r.memory_limit) TRY(write_value(dir + "/memory.max", limit_text(*r.memory_limit, Version::V2)));
    if (!r.memory_swap_limit) return ok();
    const std::string file = dir + "/memory.swap.max";
    // v2 counts swap alone, CRI and OCI memory plus swap.
    const int64_t memory = r.memory_limit.value_or(0);
    const int64_t swap = *r.memory_swap_limit < 0 || memory < 0 ? -1 : *r.memory_swap_limit - memory;
    if (swap < -1) return Error::invalid("memory_swap_limit_in_bytes is below memory_limit_in_bytes");
    if (!file_exists(file) && swap <= 0) return ok();
    return write_value(file, limit_text(swap, Version::V2));
}

}  // namespace

Status apply_memory(const std::string& dir, Version version, const Resources& r) {
    return version == Version::V1 ? apply_v1(dir, r) : apply_v2(dir, r);
}

Status apply_pids(const std::string& dir, Version, const Resources& r) {
    // pids.max says "max" on both versions.
    return write_value(dir + "/pids.max", limit_text(*r.pids_limit, Version::V2));
}

Status apply_hugetlb(const std::string& dir, Version version, const Resources& r) {
    const std::string suffix = version == Version::V1 ? ".limit_in_bytes" : ".max";
    for (const auto& [size, bytes] : r.hugepages) {
        TRY(write_value(dir + "/hugetlb." + size + suffix, std::to_string(bytes)));
    }
    return ok();
}

}  // namespace orlop::cgroups
