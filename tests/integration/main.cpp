// The integration suites' entry: where PID 1 is not systemd they get mount and network namespaces of
// their own, so that nothing they do is seen by the machine; a throw-away node is private already.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "harness/process.h"

namespace orlop::it {
namespace {

Status cover(const char* dir) {
    TRY(make_dirs(dir));
    if (mount("tmpfs", dir, "tmpfs", 0, "mode=755") != 0)
        return Error::sys(std::string("mount a tmpfs on ") + dir);
    return ok();
}

Status isolate() {
    if (unshare(CLONE_NEWNS | CLONE_NEWNET) != 0) return Error::sys("unshare");
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return Error::sys("make / private");
    TRY(cover("/run/netns"));
    if (place().reference) TRY(cover("/run/containerd"));
    const Reply lo = run({"/bin/sh", "-c", "ip link set lo up && echo 1 >/proc/sys/net/ipv4/ip_forward"});
    if (!lo.ok()) return Error::failed("lo: " + lo.err);
    return ok();
}

class Isolation : public ::testing::Environment {
  public:
    void SetUp() override {
        if (!unmet({Need::Root}).reason.empty() || place().systemd) return;
        const Status isolated = isolate();
        ASSERT_TRUE(isolated) << isolated.error().what();
    }
};

}  // namespace
}  // namespace orlop::it

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    ::testing::AddGlobalTestEnvironment(new orlop::it::Isolation);  // GoogleTest owns and deletes it
    return RUN_ALL_TESTS();
}
