#include "cgroups/stats.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace orlop::cgroups {
namespace {

TEST(StatsFiles, CountersAreNamesAndNumbers) {
    const auto c =
        parse_counters("cache 1\nrss 18446744073709551615\n\nbad\n x 1\nneg -1\ntwo 1 2\nlimit max\nlast 7");
    EXPECT_EQ(c, (Counters{{"cache", 1}, {"rss", UINT64_MAX}, {"limit", UINT64_MAX}, {"last", 7}}));
}

TEST(StatsFiles, BlkioIsALineForEachDeviceAndOperation) {
    const auto e =
        parse_blkio("8:0 Read 4096\n8:0 Total 4097\n259:1 Async 1\nTotal 4097\n8: Read 1\n8:0 Read\n");
    EXPECT_EQ(e, (std::vector<IoEntry>{{8, 0, "Read", 4096}, {8, 0, "Total", 4097}, {259, 1, "Async", 1}}));
}

TEST(StatsFiles, IoStatIsALineForEachDevice) {
    const auto s = parse_io_stat(
        "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost.vrate=100.00\n"
        "7:0\n"
        "8:0 rbytes=9 other=1 wbytes=x\n");
    EXPECT_EQ(s.bytes,
              (std::vector<IoEntry>{
                  {8, 16, "Read", 1}, {8, 16, "Write", 2}, {8, 16, "Discard", 5}, {8, 0, "Read", 9}}));
    EXPECT_EQ(s.operations,
              (std::vector<IoEntry>{{8, 16, "Read", 3}, {8, 16, "Write", 4}, {8, 16, "Discard", 6}}));
}

TEST(StatsFiles, RdmaAndPressure) {
    const auto r =
        parse_rdma("mlx4_0 hca_handle=2 hca_object=max\nocrdma1 hca_handle=3 hca_object=4\n\nalone\n");
    ASSERT_EQ(r.size(), 2u);
    EXPECT_EQ(r.at("mlx4_0").handles, 2u);
    EXPECT_EQ(r.at("mlx4_0").objects, UINT64_MAX);
    const auto p = parse_pressure(
        "some avg10=1.50 avg60=0.25 avg300=99.99 total=123\nfull avg10=0.00 avg60=nan avg300=1e3 total=7\n");
    EXPECT_DOUBLE_EQ(p.some.avg10, 1.5);
    EXPECT_DOUBLE_EQ(p.some.avg300, 99.99);
    EXPECT_EQ(p.some.total_us, 123u);
    EXPECT_EQ(p.full.total_us, 7u);
    EXPECT_EQ(parse_numbers("1 2\n3 x "), (std::vector<uint64_t>{1, 2, 3}));
}

TEST(RealStats, CountWhatAProcessUses) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    const auto h = detect();
    if (!h) GTEST_SKIP() << "needs cgroups: " << h.error().what();
    const Cgroup cgroup(*h, "/orlop-stats-test-" + std::to_string(getpid()));
    ASSERT_TRUE(cgroup.create());
    ASSERT_TRUE(cgroup.apply({.memory_limit = 64 << 20, .pids_limit = 9}));
    int go[2], ready[2];
    ASSERT_EQ(pipe2(go, O_CLOEXEC) + pipe2(ready, O_CLOEXEC), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        char byte = 0;
        if (read(go[0], &byte, 1) != 1) _exit(1);
        void* p = mmap(nullptr, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(p, 1, 8 << 20);
        if (write(ready[1], "x", 1) != 1) _exit(1);
        pause();
        _exit(0);
    }
    ASSERT_TRUE(cgroup.add(pid));
    char byte = 'x';
    ASSERT_EQ(write(go[1], &byte, 1), 1);
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    const auto s = read_stats(cgroup);
    ASSERT_TRUE(s) << s.error().what();
    EXPECT_GT(s->cpu.total_ns, 0u);
    EXPECT_GE(s->memory.memory.usage, 8u << 20);
    EXPECT_GE(s->memory.working_set, 8u << 20);
    EXPECT_EQ(s->memory.memory.limit, 64u << 20);
    EXPECT_GE(s->memory.rss, 4u << 20) << "counted in batches";
    EXPECT_FALSE(s->memory.raw.empty());
    EXPECT_EQ(s->memory.swap.limit, kNoLimit);
    EXPECT_EQ(s->pids, 1u);
    EXPECT_EQ(s->pids_limit, 9u);
    EXPECT_EQ(s->cpu.per_cpu_ns.empty(), h->version == Version::V2);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    for (const int fd : {go[0], go[1], ready[0], ready[1]}) close(fd);
    EXPECT_TRUE(cgroup.remove(std::chrono::seconds(5)));
    EXPECT_EQ(read_stats(cgroup).error().kind(), Kind::NotFound);
}

}  // namespace
}  // namespace orlop::cgroups
