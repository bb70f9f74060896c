#include <algorithm>
#include <charconv>

#include "cgroups/unit_property.h"

namespace orlop::cgroups {

namespace {

using Properties = std::vector<UnitProperty>;

constexpr uint64_t kInfinity = UINT64_MAX;

uint64_t or_infinity(int64_t limit) {
    return limit < 0 ? kInfinity : static_cast<uint64_t>(limit);
}

void add(Properties& out, const char* name, UnitValue value, unsigned since = 0) {
    out.push_back({name, std::move(value), since});
}

// systemd counts per second of wall time, in steps of 10 ms.
uint64_t quota_per_second(int64_t quota, uint64_t period) {
    if (quota <= 0 || period == 0) return kInfinity;
    constexpr uint64_t kSecond = 1'000'000, kStep = 10'000;
    const auto per_second = static_cast<uint64_t>(static_cast<unsigned __int128>(quota) * kSecond / period);
    return std::min(per_second, kInfinity - kStep) / kStep * kStep + (per_second % kStep == 0 ? 0 : kStep);
}

// "0-3,7" -> bit n of byte n / 8; empty when it is not understood (the file will say why).
std::vector<uint8_t> cpu_mask(std::string_view list) {
    constexpr unsigned kMost = 8192;
    std::vector<uint8_t> out;
    while (!list.empty()) {
        const size_t end = std::min(list.find(','), list.size());
        std::string_view range = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        while (!range.empty() && (range.back() == ' ' || range.back() == '\n')) range.remove_suffix(1);
        while (!range.empty() && range.front() == ' ') range.remove_prefix(1);
        unsigned first = 0;
        auto at = std::from_chars(range.data(), range.data() + range.size(), first);
        unsigned last = first;
        if (at.ec == std::errc() && at.ptr != range.data() + range.size() && *at.ptr == '-')
            at = std::from_chars(at.ptr + 1, range.data() + range.size(), last);
        if (at.ec != std::errc() || at.ptr != range.data() + range.size() || last < first || last >= kMost)
            return {};
        if (out.size() <= last / 8) out.resize(last / 8 + 1);
        for (unsigned n = first; n <= last; ++n)
            out[n / 8] = static_cast<uint8_t>(out[n / 8] | (1u << (n % 8)));
    }
    return out;
}

void add_cpu(Properties& out, const Resources& r, bool v1) {
    const bool idle = r.cpu_idle.value_or(0) != 0 && !v1;
    if (r.cpu_shares && v1) add(out, "CPUShares", *r.cpu_shares);
    if (r.cpu_shares && !v1 && !idle) add(out, "CPUWeight", weight_from_shares(*r.cpu_shares));
    if (idle) add(out, "CPUWeight", uint64_t{0}, 252);
    if (r.cpu_quota_us)
        add(out, "CPUQuotaPerSecUSec", quota_per_second(*r.cpu_quota_us, r.cpu_period_us.value_or(100'000)));
    if (r.cpu_period_us) add(out, "CPUQuotaPeriodUSec", *r.cpu_period_us, 242);
    if (auto cpus = cpu_mask(r.cpuset_cpus.value_or("")); !cpus.empty())
        add(out, "AllowedCPUs", std::move(cpus), 244);
    if (auto mems = cpu_mask(r.cpuset_mems.value_or("")); !mems.empty())
        add(out, "AllowedMemoryNodes", std::move(mems), 244);
}

void add_memory(Properties& out, const Resources& r, bool v1) {
    if (r.memory_limit) add(out, v1 ? "MemoryLimit" : "MemoryMax", or_infinity(*r.memory_limit));
    if (v1) return;
    if (r.memory_reservation) add(out, "MemoryLow", or_infinity(*r.memory_reservation));
    if (!r.memory_swap_limit) return;
    if (*r.memory_swap_limit < 0) {
        add(out, "MemorySwapMax", kInfinity);
    } else if (r.memory_limit && *r.memory_limit >= 0 && *r.memory_swap_limit >= *r.memory_limit) {
        add(out, "MemorySwapMax", static_cast<uint64_t>(*r.memory_swap_limit - *r.memory_limit));
    }
}

void add_io(Properties& out, const Resources& r, bool v1) {
    const auto weight = [v1](uint16_t w) { return v1 ? uint64_t{w} : io_weight_from_blkio(w); };
    if (r.io_weight) add(out, v1 ? "BlockIOWeight" : "IOWeight", weight(*r.io_weight));
    std::vector<std::pair<std::string, uint64_t>> devices;
    for (const IoDevice& d : r.io_devices) {
        if (d.weight)
            devices.emplace_back("/dev/block/" + std::to_string(d.major) + ":" + std::to_string(d.minor),
                                 weight(*d.weight));
    }
    if (!devices.empty()) add(out, v1 ? "BlockIODeviceWeight" : "IODeviceWeight", std::move(devices));
}

// Values of a v2 file that systemd has too.
void add_unified(Properties& out, const Resources& r) {
    constexpr std::pair<const char*, const char*> kKnown[] = {
        {"memory.min", "MemoryMin"}, {"memory.low", "MemoryLow"},          {"memory.high", "MemoryHigh"},
        {"memory.max", "MemoryMax"}, {"memory.swap.max", "MemorySwapMax"}, {"pids.max", "TasksMax"}};
    for (const auto& [file, property] : kKnown) {
        const auto at = r.unified.find(file);
        if (at == r.unified.end()) continue;
        const std::string& text = at->second;
        uint64_t n = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
        if (text == "max") {
            add(out, property, kInfinity);
        } else if (error == std::errc() && end == text.data() + text.size()) {
            add(out, property, n);
        }
    }
}

// The name of a major in /proc/devices, or "".
std::string group_of(std::string_view proc_devices, char type, int64_t major) {
    const size_t block = proc_devices.find("Block devices:");
    std::string_view part = type == 'b' && block != std::string_view::npos ? proc_devices.substr(block)
                                                                           : proc_devices.substr(0, block);
    if (type == 'b' && block == std::string_view::npos) return "";
    while (!part.empty()) {
        const size_t end = std::min(part.find('\n'), part.size());
        std::string_view line = part.substr(0, end);
        part.remove_prefix(std::min(end + 1, part.size()));
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        int64_t number = -1;
        const auto at = std::from_chars(line.data(), line.data() + line.size(), number);
        if (at.ec != std::errc() || number != major || at.ptr == line.data() + line.size()) continue;
        return std::string(at.ptr + 1, line.data() + line.size());
    }
    return "";
}

// "" when systemd has no word for it, which is when the kernel has no such device either.
std::string device_specifier(const DeviceRule& rule, std::string_view proc_devices) {
    const std::string kind = rule.type == 'b' ? "block" : "char";
    if (rule.major < 0) return kind + "-*";
    if (rule.minor >= 0)
        return "/dev/" + kind + "/" + std::to_string(rule.major) + ":" + std::to_string(rule.minor);
    const std::string group = group_of(proc_devices, rule.type, rule.major);
    return group.empty() ? "" : kind + "-" + group;
}

bool is_everything(const DeviceRule& rule) {
    return rule.type == 'a' && rule.major < 0 && rule.minor < 0;
}

void deny(std::vector<DeviceRule>& allowed, const DeviceRule& rule) {
    for (DeviceRule& one : allowed) {
        if (one.type != rule.type || one.major != rule.major || one.minor != rule.minor) continue;
        std::erase_if(one.access, [&](char c) { return rule.access.find(c) != std::string::npos; });
    }
    std::erase_if(allowed, [](const DeviceRule& one) { return one.access.empty(); });
}

// What is allowed at the end; everything as one rule of type a.
std::vector<DeviceRule> allowed_at_last(const std::vector<DeviceRule>& rules) {
    std::vector<DeviceRule> allowed;
    for (const DeviceRule& rule : rules) {
        if (is_everything(rule)) {
            allowed.clear();
            if (rule.allow) allowed.push_back(rule);
            continue;
        }
        if (!allowed.empty() && is_everything(allowed.front())) continue;
        for (const char type : rule.type == 'a' ? std::string("bc") : std::string(1, rule.type)) {
            DeviceRule one = rule;
            one.type = type;
            deny(allowed, one);
            if (rule.allow) allowed.push_back(one);
        }
    }
    return allowed;
}

void add_devices(Properties& out, const Resources& r, std::string_view proc_devices) {
    if (r.devices.empty()) return;
    std::vector<std::pair<std::string, std::string>> list;
    const std::vector<DeviceRule> allowed = allowed_at_last(r.devices);
    const bool all = !allowed.empty() && is_everything(allowed.front());
    for (const DeviceRule& rule : allowed) {
        const std::string specifier = all ? "" : device_specifier(rule, proc_devices);
        if (!specifier.empty()) list.emplace_back(specifier, rule.access);
    }
    add(out, "DevicePolicy", std::string(all ? "auto" : "strict"));
    // A list adds to what there is; an empty one forgets it.
    add(out, "DeviceAllow", std::vector<std::pair<std::string, std::string>>());
    if (!list.empty()) add(out, "DeviceAllow", std::move(list));
}

}  // namespace

std::vector<UnitProperty> unit_properties(const Resources& r, Version version,
                                          std::string_view proc_devices) {
    const bool v1 = version == Version::V1;
    Properties out;
    add_cpu(out, r, v1);
    add_memory(out, r, v1);
    if (r.pids_limit) add(out, "TasksMax", or_infinity(*r.pids_limit));
    add_io(out, r, v1);
    if (!v1) add_unified(out, r);
    add_devices(out, r, proc_devices);
    return out;
}

std::vector<UnitProperty> accounting_properties() {
    Properties out;
    for (const char* name : {"CPUAccounting", "MemoryAccounting", "IOAccounting", "TasksAccounting"})
        add(out, name, true);
    return out;
}

}  // namespace orlop::cgroups
