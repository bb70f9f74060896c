// kernel: admin-guide/cgroup-v1/blkio-controller, block/bfq-iosched; admin-guide/cgroup-v2, "IO Interface
// Files".
#include "cgroups/files.h"

namespace orlop::cgroups {

namespace {

std::string number_of(const IoDevice& d) {
    return std::to_string(d.major) + ":" + std::to_string(d.minor);
}

// CFQ's name went with CFQ (5.0), BFQ's is there only with BFQ.
Status write_weight_v1(const std::string& dir, const std::string& name, const std::string& value,
                       const char* field) {
    for (const char* prefix : {"/blkio.", "/blkio.bfq."}) {
        auto written = write_value(dir + prefix + name, value);
        if (written || written.error().errnum() != ENOENT) return written;
    }
    return Error::unimplemented(std::string(field) + ": this kernel has neither blkio." + name +
                                " nor blkio.bfq." + name);
}

Status apply_device_v1(const std::string& dir, const IoDevice& d) {
    const std::string device = number_of(d) + " ";
    if (d.weight) {
        TRY(write_weight_v1(dir, "weight_device", device + std::to_string(*d.weight),
                            "blockIO.weightDevice"));
    }
    if (d.leaf_weight) {
        TRY(write_weight_v1(dir, "leaf_weight_device", device + std::to_string(*d.leaf_weight),
                            "blockIO.weightDevice.leafWeight"));
    }
    const std::string throttle = dir + "/blkio.throttle.";
    if (d.read_bps) TRY(write_value(throttle + "read_bps_device", device + std::to_string(*d.read_bps)));
    if (d.write_bps) TRY(write_value(throttle + "write_bps_device", device + std::to_string(*d.write_bps)));
    if (d.read_iops) TRY(write_value(throttle + "read_iops_device", device + std::to_string(*d.read_iops)));
    if (d.write_iops)
        TRY(write_value(throttle + "write_iops_device", device + std::to_string(*d.write_iops)));
    return ok();
}

Status apply_v1(const std::string& dir, const Resources& r) {
    if (r.io_weight) TRY(write_weight_v1(dir, "weight", std::to_string(*r.io_weight), "blockIO.weight"));
    if (r.io_leaf_weight)
        TRY(write_weight_v1(dir, "leaf_weight", std::to_string(*r.io_leaf_weight), "blockIO.leafWeight"));
    for (const IoDevice& d : r.io_devices) TRY(apply_device_v1(dir, d));
    return ok();
}

// BFQ keeps v1's range 1..1000; io.weight has 1..10000.
Status write_weight_v2(const std::string& dir, const std::string& device, uint16_t weight,
                       const char* field) {
    auto bfq = write_value(dir + "/io.bfq.weight", device + std::to_string(weight));
    if (bfq || bfq.error().errnum() != ENOENT) return bfq;
    auto io = write_value(dir + "/io.weight", device + std::to_string(io_weight_from_blkio(weight)));
    if (io || io.error().errnum() != ENOENT || !file_exists(dir + "/io.max")) return io;
    return Error::unimplemented(std::string(field) + ": this kernel has neither io.weight nor io.bfq.weight");
}

Status apply_v2(const std::string& dir, const Resources& r) {
    if (r.io_weight) TRY(write_weight_v2(dir, "", *r.io_weight, "blockIO.weight"));
    for (const IoDevice& d : r.io_devices) {
        if (d.weight) TRY(write_weight_v2(dir, number_of(d) + " ", *d.weight, "blockIO.weightDevice"));
        if (const std::string line = io_max_line(d); !line.empty()) TRY(write_value(dir + "/io.max", line));
    }
    return ok();
}

}  // namespace

std::string io_max_line(const IoDevice& d) {
    std::string limits;
    const auto add = [&limits](const char* key, const std::optional<uint64_t>& rate) {
        // v1 lifts a limit by 0, v2 by "max".
        if (rate) limits += std::string(" ") + key + "=" + (*rate == 0 ? "max" : std::to_string(*rate));
    };
    add("rbps", d.read_bps);
    add("wbps", d.write_bps);
    add("riops", d.read_iops);
    add("wiops", d.write_iops);
    return limits.empty() ? "" : number_of(d) + limits;
}

Status apply_io(const std::string& dir, Version version, const Resources& r) {
    return version == Version::V1 ? apply_v1(dir, r) : apply_v2(dir, r);
}

}  // namespace orlop::cgroups
