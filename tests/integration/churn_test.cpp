// Many pods made and removed: the runtime keeps nothing of them.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "harness/node_test.h"

namespace orlop::it {
namespace {

class ChurnTest : public NodeTest {
  protected:
    // Makes, runs and removes pods, as many at a time as there are threads.
    void churn(int pods, const std::string& prefix) {
        std::atomic<int> next = 0;
        std::vector<std::thread> workers;
        for (int w = 0; w < 3; ++w) {
            workers.emplace_back([&] {
                for (int i = next++; i < pods; i = next++) one(prefix + std::to_string(i));
            });
        }
        for (std::thread& worker : workers) worker.join();
    }

  private:
    void one(const std::string& name) {
        const Json pod = pod_config(node(), name);
        const std::string id = crictl().runp(pod);
        if (id.empty()) return;
        crictl().launch(id, shell_config(name, kSleepUntilStopped), pod);
        crictl().must({"rmp", "-f", id});
    }
};

TEST_F(ChurnTest, ManyPodsLeaveDescriptorsThreadsAndMemoryOfTheRuntimeFlat) {
    const int pods = place().churn_pods;
    const LeakCheck leaks(node().paths());
    // Pools and allocator arenas fill up on the first ones.
    churn(std::max(10, pods / 5), "warm");
    const Footprint before = footprint(node().runtime().pid());
    churn(pods, "churn");
    const Footprint after = footprint(node().runtime().pid());
    leaks.expect_clean();
    std::cout << pods << " pods: descriptors " << before.fds << " -> " << after.fds << ", threads "
              << before.threads << " -> " << after.threads << ", RSS " << before.rss_kib << " -> "
              << after.rss_kib << " KiB\n";
    RecordProperty("pods", pods);
    RecordProperty("rss_kib_before", static_cast<int>(before.rss_kib));
    RecordProperty("rss_kib_after", static_cast<int>(after.rss_kib));
    EXPECT_LE(after.fds, before.fds + 2);
    EXPECT_LE(after.threads, before.threads + 2);
    // 10 KiB a pod would be a leak; pages that the allocator holds move by less than this.
    EXPECT_LE(after.rss_kib, before.rss_kib + 1024 + pods * 5L);
}

}  // namespace
}  // namespace orlop::it
