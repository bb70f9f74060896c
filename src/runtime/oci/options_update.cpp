#include "runtime/oci/options.h"
#include "runtime/oci/options_parts.h"

namespace orlop::oci {

namespace {

// "512", "64m", "1.5GiB", "-1": bytes, powers of 1024.
Result<int64_t> bytes_of(const std::string& flag, const std::string& text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string unit(end, text.data() + text.size());
    for (char& c : unit) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (unit.ends_with("b")) unit.pop_back();
    if (unit.ends_with("i")) unit.pop_back();
    const size_t power = unit.empty() ? 0 : std::string_view("kmgtp").find(unit) + 1;
    if (error != std::errc() || unit.size() > 1 || (power == 0 && !unit.empty())) {
        return Error::invalid(flag + ": \"" + text + "\" is no size like 64m");
    }
    for (size_t i = 0; i < power; ++i) number *= 1024;
    if (number == -1) return -1;
    if (number < 0 || number >= 9e18) return Error::invalid(flag + ": \"" + text + "\" is out of range");
    return static_cast<int64_t>(number);
}

template <class Number>
Status set(std::optional<Number>& out, const std::string& flag, const std::string& text) {
    if (!text.empty()) out = TRY(number_of<Number>(flag, text));
    return ok();
}

Status set_bytes(std::optional<int64_t>& out, const std::string& flag, const std::string& text) {
    if (!text.empty()) out = TRY(bytes_of(flag, text));
    return ok();
}

template <class Number>
void drop_zero(std::optional<Number>& number) {
    if (number == Number{0}) number.reset();
}

// runc: 0 = as it is, where the kernel has no use for 0 either.
void drop_zeros(cgroups::Resources& r) {
    drop_zero(r.io_weight);
    drop_zero(r.cpu_period_us);
    drop_zero(r.cpu_quota_us);
    drop_zero(r.cpu_shares);
    drop_zero(r.rt_period_us);
    drop_zero(r.rt_runtime_us);
    drop_zero(r.memory_limit);
    drop_zero(r.memory_reservation);
    drop_zero(r.memory_swap_limit);
    drop_zero(r.pids_limit);
}

struct Texts {
    std::string blkio_weight, cpu_period, cpu_quota, cpu_burst, cpu_idle, cpu_share, rt_period, rt_runtime;
    std::string cpus, mems, memory, reservation, swap, kernel_memory, pids, l3, bandwidth;
};

void add(Flags& flags, Texts& t) {
    flags.text(t.blkio_weight, "--blkio-weight", "weight of block I/O, 10 to 1000");
    flags.text(t.cpu_period, "--cpu-period", "CFS period in microseconds");
    flags.text(t.cpu_quota, "--cpu-quota", "CFS quota in microseconds a period; -1 = none");
    flags.text(t.cpu_burst, "--cpu-burst", "CFS burst in microseconds");
    flags.text(t.cpu_idle, "--cpu-idle", "1 = SCHED_IDLE");
    flags.text(t.cpu_share, "--cpu-share,--cpu-shares", "CPU shares");
    flags.text(t.rt_period, "--cpu-rt-period", "realtime period in microseconds");
    flags.text(t.rt_runtime, "--cpu-rt-runtime", "realtime quota in microseconds a period");
    flags.text(t.cpus, "--cpuset-cpus", "CPUs to use");
    flags.text(t.mems, "--cpuset-mems", "memory nodes to use");
    flags.text(t.memory, "--memory", "limit of memory; -1 = none");
    flags.text(t.reservation, "--memory-reservation", "soft limit of memory");
    flags.text(t.swap, "--memory-swap", "limit of memory and swap together; -1 = none");
    flags.text(t.kernel_memory, "--kernel-memory,--kernel-memory-tcp", "accepted: kernels have it no more");
    flags.text(t.pids, "--pids-limit", "most processes; -1 = no limit");
    flags.text(t.l3, "--l3-cache-schema", "not supported");
    flags.text(t.bandwidth, "--mem-bw-schema", "not supported");
}

Result<cgroups::Resources> resources_of(const Texts& t) {
    cgroups::Resources r;
    if (!t.l3.empty() || !t.bandwidth.empty()) return Error::unimplemented("Intel RDT is not supported");
    TRY(set(r.io_weight, "--blkio-weight", t.blkio_weight));
    TRY(set(r.cpu_period_us, "--cpu-period", t.cpu_period));
    TRY(set(r.cpu_quota_us, "--cpu-quota", t.cpu_quota));
    TRY(set(r.cpu_burst_us, "--cpu-burst", t.cpu_burst));
    TRY(set(r.cpu_idle, "--cpu-idle", t.cpu_idle));
    TRY(set(r.cpu_shares, "--cpu-share", t.cpu_share));
    TRY(set(r.rt_period_us, "--cpu-rt-period", t.rt_period));
    TRY(set(r.rt_runtime_us, "--cpu-rt-runtime", t.rt_runtime));
    TRY(set_bytes(r.memory_limit, "--memory", t.memory));
    TRY(set_bytes(r.memory_reservation, "--memory-reservation", t.reservation));
    TRY(set_bytes(r.memory_swap_limit, "--memory-swap", t.swap));
    TRY(set(r.pids_limit, "--pids-limit", t.pids));
    drop_zeros(r);
    if (!t.cpus.empty()) r.cpuset_cpus = t.cpus;
    if (!t.mems.empty()) r.cpuset_mems = t.mems;
    return r;
}

}  // namespace

Result<UpdateOptions> parse_update(const Strings& arguments) {
    UpdateOptions o;
    Texts texts;
    Flags flags("update", "[flags] CONTAINER-ID", "Changes a container's limits; those not named stay.");
    flags.text(o.resources_file, "--resources,-r", "file with a LinuxResources object, - for stdin");
    add(flags, texts);
    Words words = TRY(flags.parse(arguments, Order::Anywhere));
    o.help = std::move(words.help);
    if (!o.help.empty()) return o;
    TRY(need_words("update", words.words.size(), 1, 1));
    o.id = words.words[0];
    o.resources = TRY(resources_of(texts));
    return o;
}

}  // namespace orlop::oci
