#include "agent/act/pod_files.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/dir.h"

namespace orlop::agent {
namespace {

class PodFilesTest : public testing::Test {
  protected:
    PodFilesTest() {
        char name[] = "/tmp/orlop-pod-files-XXXXXX";
        root = mkdtemp(name);
        node.paths = {root + "/kubelet", root + "/logs"};
        pod.meta = {"p", "ns", "u1"};
    }
    ~PodFilesTest() override {
        (void)remove_pod_files(pod.meta, node.paths);
        if (const auto tmp = Dir::open("/tmp"); tmp) (void)tmp->remove_tree(root.substr(5));
    }
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "NEEDS ROOT: volumes are mounted and given to groups";
    }
    static struct stat stat_of(const std::string& path) {
        struct stat st {};
        EXPECT_EQ(stat(path.c_str(), &st), 0) << path;
        return st;
    }
    kube::Volume& volume(const std::string& name) {
        pod.spec.volumes.emplace_back().name = name;
        return pod.spec.volumes.back();
    }

    kube::Pod pod;
    NodeFacts node;
    std::string root;
};

TEST_F(PodFilesTest, EmptyDirsAreMadeOnceAndRemovedWithEverything) {
    volume("disk").empty_dir.emplace();
    volume("memory").empty_dir = kube::EmptyDir{kube::Medium::Memory, kube::Quantity::whole(1 << 20)};
    pod.spec.security.emplace().fs_group = 4321;
    ASSERT_TRUE(prepare_pod_files(pod, node));
    const auto again = prepare_pod_files(pod, node);
    ASSERT_TRUE(again) << again.error().what();
    for (const char* name : {"disk", "memory"}) {
        const struct stat st = stat_of(node.paths.empty_dir("u1", name));
        EXPECT_EQ(st.st_mode & 07777, 02777u) << name;
        EXPECT_EQ(st.st_gid, 4321u) << name;
    }
    struct statfs fs {};
    ASSERT_EQ(statfs(node.paths.empty_dir("u1", "memory").c_str(), &fs), 0);
    EXPECT_EQ(fs.f_type, 0x01021994);
    EXPECT_EQ(fs.f_blocks * static_cast<uint64_t>(fs.f_bsize), 1u << 20);
    ASSERT_TRUE(remove_pod_files(pod.meta, node.paths));
    EXPECT_TRUE(Dir::open(node.paths.pods())->list()->empty());
    EXPECT_TRUE(Dir::open(node.paths.logs)->list()->empty());
    EXPECT_TRUE(remove_pod_files(pod.meta, node.paths));
}

TEST_F(PodFilesTest, HostPathsAreCheckedAndMade) {
    struct Row {
        kube::HostPathType type;
        std::string path;
        bool good;
    };
    using enum kube::HostPathType;
    const Row rows[] = {{Unset, root + "/none", true},
                        {Directory, root, true},
                        {Directory, root + "/none", false},
                        {DirectoryOrCreate, root + "/a/b", true},
                        {FileOrCreate, root + "/f", true},
                        {File, root + "/f", true},
                        {File, root, false},
                        {Socket, root, false},
                        {CharDevice, "/dev/null", true},
                        {BlockDevice, "/dev/null", false}};
    for (const Row& row : rows) {
        pod.spec.volumes.clear();
        volume("h").host_path = kube::HostPath{row.path, row.type};
        const auto done = prepare_pod_files(pod, node);
        EXPECT_EQ(done.ok(), row.good) << row.path << " " << static_cast<int>(row.type);
        if (!done) {
            EXPECT_NE(done.error().what().find("volume h: hostPath type check failed"), std::string::npos);
        }
    }
}

TEST_F(PodFilesTest, LastWordsAreCutAndNeverFollowedElsewhere) {
    ASSERT_TRUE(prepare_pod_files(pod, node));
    ASSERT_TRUE(prepare_message_file(pod, "c", 0, node.paths));
    EXPECT_EQ(stat_of(node.paths.message("u1", "c", 0)).st_mode & 0777, 0666u);
    EXPECT_EQ(read_message("u1", "c", 0, node.paths), "");
    const auto dir = Dir::open(node.paths.container("u1", "c"));
    ASSERT_TRUE(dir);
    ASSERT_TRUE(dir->write("0", std::string(5000, 'x') + "end"));
    const std::string words = read_message("u1", "c", 0, node.paths);
    EXPECT_EQ(words.size(), 4096u);
    EXPECT_TRUE(words.ends_with("xend"));
    ASSERT_TRUE(dir->unlink("0"));
    ASSERT_EQ(symlink("/etc/passwd", node.paths.message("u1", "c", 0).c_str()), 0);
    EXPECT_EQ(read_message("u1", "c", 0, node.paths), "");
}

TEST_F(PodFilesTest, TheHostsFileIsWrittenInPlace) {
    ASSERT_TRUE(prepare_pod_files(pod, node));
    ASSERT_TRUE(write_hosts_file(pod, node, {"10.0.0.1"}));
    const ino_t inode = stat_of(node.paths.hosts("u1")).st_ino;
    ASSERT_TRUE(write_hosts_file(pod, node, {"10.0.0.22"}));
    EXPECT_EQ(stat_of(node.paths.hosts("u1")).st_ino, inode);
    EXPECT_TRUE(read_file(node.paths.hosts("u1"))->ends_with("10.0.0.22\tp\n"));
}

}  // namespace
}  // namespace orlop::agent
