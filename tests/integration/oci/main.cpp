// The entry of the OCI runtime's suites: where PID 1 is not systemd they get mount and network namespaces of
// their own, and everywhere they reap what containers leave, to count it.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

#include "oci/harness/leftovers.h"
#include "oci/harness/runtime.h"

namespace orlop::it {
namespace {

Status isolate() {
    if (unshare(CLONE_NEWNS | CLONE_NEWNET) != 0) return Error::sys("unshare");
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return Error::sys("make / private");
    const Reply lo = run({"/bin/sh", "-c", "ip link set lo up"});
    if (!lo.ok()) return Error::failed("lo: " + lo.err);
    // crun of Debian 12 takes a hybrid layout only without its cgroup2.
    const char* const hybrid = "/sys/fs/cgroup/unified";
    if (Runtime::kind() == "crun" && access(hybrid, F_OK) == 0 &&
        mount("tmpfs", hybrid, "tmpfs", 0, nullptr) != 0)
        return Error::sys("cover cgroup2");
    return ok();
}

class World : public ::testing::Environment {
  public:
    void SetUp() override {
        if (!unmet({Need::Root}).reason.empty()) return;
        ASSERT_TRUE(reap_orphans());
        if (place().systemd) return;
        const Status isolated = isolate();
        ASSERT_TRUE(isolated) << isolated.error().what();
    }
    void TearDown() override {
        std::error_code error;
        std::filesystem::remove_all(run_dir(), error);
        std::filesystem::remove_all(state_dir(), error);
        // The parents of the containers' cgroups; another run that still needs one keeps it.
        (void)run({"/bin/sh", "-c",
                   "rmdir /sys/fs/cgroup/orlopocitest /sys/fs/cgroup/*/orlopocitest "
                   "/sys/fs/cgroup/*/libpod_parent/conmon /sys/fs/cgroup/*/libpod_parent 2>/dev/null; true"});
    }
};

}  // namespace
}  // namespace orlop::it

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    ::testing::AddGlobalTestEnvironment(new orlop::it::World);  // GoogleTest owns and deletes it
    return RUN_ALL_TESTS();
}
