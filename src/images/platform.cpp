#include "images/platform.h"

#include <sys/utsname.h>

namespace orlop::images {

namespace {

std::string go_architecture(const std::string& machine) {
    if (machine == "x86_64") return "amd64";
    if (machine == "aarch64") return "arm64";
    if (machine.starts_with("armv")) return "arm";
    if (machine == "i686" || machine == "i386") return "386";
    return machine;  // ppc64le, s390x, riscv64 have the same name
}

std::string host_variant(const std::string& machine) {
#if defined(__x86_64__)
    if (machine == "x86_64") {
        // The features of the x86-64 psABI's levels that came last in real processors.
        if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt")) return "v1";
        if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2") ||
            !__builtin_cpu_supports("fma"))
            return "v2";
        if (!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq") ||
            !__builtin_cpu_supports("avx512vl"))
            return "v3";
        return "v4";
    }
#endif
    if (machine == "aarch64") return "v8";
    if (machine.starts_with("armv") && machine.size() > 4) return "v" + machine.substr(4, 1);
    return "";
}

// The variant as a number; what an index leaves out means the baseline of the architecture.
int level(const Platform& platform) {
    const std::string& v = platform.variant;
    if (v.size() == 2 && v[0] == 'v' && v[1] >= '1' && v[1] <= '9') return v[1] - '0';
    if (!v.empty()) return -1;
    if (platform.architecture == "arm64") return 8;
    if (platform.architecture == "arm") return 7;
    return 1;
}

}  // namespace

std::string Platform::str() const {
    return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

Platform Platform::host() {
    struct utsname name {};
    if (uname(&name) != 0) return {"linux", "", ""};
    const std::string machine = static_cast<const char*>(name.machine);
    return {"linux", go_architecture(machine), host_variant(machine)};
}

int platform_rank(const Platform& offered, const Platform& host) {
    if (offered.os != host.os || offered.architecture != host.architecture) return 0;
    const int have = level(host);
    const int want = level(offered);
    return want > 0 && want <= have ? want : 0;
}

}  // namespace orlop::images
