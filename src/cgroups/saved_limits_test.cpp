#include "cgroups/saved_limits.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/dir.h"

namespace orlop::cgroups {
namespace {

// A tree of plain files that looks like a v1 cgroup's.
class SavedLimitsTest : public testing::Test {
  protected:
    SavedLimitsTest() {
        h.version = Version::V1;
        for (const char* controller : {"cpu", "memory", "cpuset"}) {
            h.v1[controller] = root + "/" + controller;
            std::filesystem::create_directories(root + "/" + controller + "/c");
        }
        put("cpu/c/cpu.shares", "1024\n");
        put("memory/c/memory.limit_in_bytes", "100\n");
    }
    ~SavedLimitsTest() override { std::filesystem::remove_all(root); }
    void put(const std::string& name, const std::string& text) const {
        std::ofstream(root + "/" + name) << text;
    }
    std::string get(const std::string& name) const { return read_file(root + "/" + name).value_or("?"); }
    const std::string root = testing::TempDir() + "saved-limits";
    Hierarchies h;
};

TEST_F(SavedLimitsTest, AChangeThatWorksStays) {
    Resources change;
    change.cpu_shares = 2048;
    const Status done = apply_or_restore(Cgroup(h, "/c"), change);
    ASSERT_TRUE(done) << done.error().what();
    EXPECT_EQ(get("cpu/c/cpu.shares").substr(0, 4), "2048");
}

TEST_F(SavedLimitsTest, AChangeThatFailsHalfWayIsTakenBack) {
    Resources change;
    change.cpu_shares = 2048;
    change.cpuset_cpus = "0";  // without its file
    change.memory_limit = 200;
    EXPECT_FALSE(apply_or_restore(Cgroup(h, "/c"), change));
    EXPECT_EQ(get("cpu/c/cpu.shares"), "1024\n");
    EXPECT_EQ(get("memory/c/memory.limit_in_bytes"), "100\n");
}

TEST_F(SavedLimitsTest, AreOnlyOfTheFilesThatTheChangeTouches) {
    Resources change;
    change.memory_limit = 200;
    const auto saved = save_limits(Cgroup(h, "/c"), change);
    ASSERT_TRUE(saved) << saved.error().what();
    ASSERT_EQ(saved->size(), 1u) << "there is no memory.memsw.limit_in_bytes";
    EXPECT_EQ(saved->front().first, root + "/memory/c/memory.limit_in_bytes");
    EXPECT_EQ(saved->front().second, "100\n");
}

}  // namespace
}  // namespace orlop::cgroups
