// Where the suites run and what that place has. Everything comes from the environment:
//
//   ORLOP_IT_PLACE       here | ns | vm: only a name in messages (default: what PID 1 and cgroups look like)
//   ORLOP_IT_RUNTIME     orlop | containerd: the reference, to check the tests themselves (default orlop)
//   ORLOP_IT_BIN         directory with orlop, orlop-agent, orlop-runtime, orlop-shim (default ../bin)
//   ORLOP_IT_OCI         the OCI runtime under test, orlop-oci's or another's (default <bin>/orlop-oci)
//   ORLOP_IT_CRICTL      the crictl binary (default: the one that scripts/install-test-tools keeps)
//   ORLOP_IT_DIR         where nodes keep their state; not on overlayfs (default /var/lib/orlopit)
//   ORLOP_IT_TIME        factor on every deadline (default 1; the emulated VM needs more)
//   ORLOP_IT_CHURN       pods that the churn test makes and removes (default 200)
//   ORLOP_IT_PROMISED    needs that this place promises, separated by commas: missing one is a failure
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <thread>

namespace orlop::it {

struct Place {
    std::string name;
    std::string bin_dir;
    std::string oci;
    std::string crictl;
    std::string base_dir;
    std::string cni_bin_dir;  // empty: none found
    std::string busybox;      // empty: none found
    bool reference = false;   // containerd instead of orlop-runtime
    bool systemd = false;     // PID 1 is systemd: the systemd driver, and no namespaces of our own
    bool unified = false;     // /sys/fs/cgroup is cgroup2 with every controller
    int time_factor = 1;
    int churn_pods = 200;

    std::string bin(const std::string& program) const { return bin_dir + "/" + program; }
};

const Place& place();

// What a test may need; the names are those of ORLOP_IT_PROMISED.
enum class Need { Root, Cni, Crictl, Busybox, Cgroups, Systemd, CgroupV2, Orlop, Agent, Cli };

struct Unmet {
    std::string reason;  // empty: all there
    bool promised = false;
};
Unmet unmet(std::initializer_list<Need> needs);

// Skips loudly, or fails when the place promised what is missing. First line of a test or of SetUp.
#define ORLOP_IT_NEEDS(...)                                                                      \
    do {                                                                                         \
        const ::orlop::it::Unmet unmet_ = ::orlop::it::unmet({__VA_ARGS__});                     \
        if (unmet_.promised) FAIL() << "this place promises it, but: " << unmet_.reason;         \
        if (!unmet_.reason.empty())                                                              \
            GTEST_SKIP() << "SKIPPED in " << ::orlop::it::place().name << ": " << unmet_.reason; \
    } while (false)

// A deadline of this place.
inline std::chrono::seconds scaled(int seconds) {
    return std::chrono::seconds(seconds * place().time_factor);
}

// Asks until the condition holds or the (already scaled) deadline passes; the condition is what is waited
// for, the pause only bounds how often it is asked.
template <class Condition>
bool eventually(std::chrono::seconds limit, Condition&& condition) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
}

}  // namespace orlop::it
