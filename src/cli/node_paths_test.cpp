#include "cli/node_paths.h"

#include <gtest/gtest.h>

namespace orlop::cli {
namespace {

struct PathsRow {
    const char* node;
    NodePaths want;
};

TEST(NodePaths, EveryNodeHasItsOwnAndTheDefaultNodeHasThoseOfTheContract) {
    const PathsRow rows[] = {
        {"orlop",
         {"orlop", "/run/orlop", "/run/orlop/runtime.sock", "/run/orlop/agent.sock", "/run/orlop/logs",
          "/var/lib/orlop", "/var/lib/kubelet", "/etc/kubernetes/manifests", "/etc/cni/net.d", "/var/lib/cni",
          "/var/log/pods"}},
        {"n-1",
         {"n-1", "/run/n-1", "/run/n-1/runtime.sock", "/run/n-1/agent.sock", "/run/n-1/logs", "/var/lib/n-1",
          "/var/lib/n-1/kubelet", "/var/lib/n-1/manifests", "/var/lib/n-1/cni/net.d",
          "/var/lib/n-1/cni/cache", "/var/log/n-1-pods"}},
    };
    for (const PathsRow& row : rows) EXPECT_EQ(paths_of(row.node), row.want) << row.node;
}

TEST(NodePaths, NamesThatWouldLeaveTheirDirectoriesAreRefused) {
    for (const char* good : {"orlop", "orlop-dev", "n1", "a"}) EXPECT_TRUE(check_node_name(good)) << good;
    const std::string too_long(41, 'a');
    for (const char* bad : {"", "..", "a/b", "A", "1a", "-a", "a.b", "a b", "a\n", too_long.c_str()}) {
        const Status status = check_node_name(bad);
        ASSERT_FALSE(status) << bad;
        EXPECT_EQ(status.error().kind(), Kind::Invalid);
    }
}

}  // namespace
}  // namespace orlop::cli
