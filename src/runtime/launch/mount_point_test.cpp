#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/dir.h"
#include "runtime/launch/rootfs.h"

namespace orlop::launch {
namespace {

class MountPoint : public testing::Test {
  protected:
    void SetUp() override {
        std::string path = "/tmp/orlop-mountpoint-XXXXXX";
        ASSERT_NE(mkdtemp(path.data()), nullptr);
        outside_ = path + "/outside";
        root_path_ = path + "/root";
        base_ = path;
        ASSERT_TRUE(make_dirs(outside_));
        ASSERT_TRUE(make_dirs(root_path_));
        root_ = UniqueFd(open(root_path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    void TearDown() override { std::filesystem::remove_all(base_); }
    std::string base_, outside_, root_path_;
    UniqueFd root_;
};

TEST_F(MountPoint, MakesWhatIsMissing) {
    ASSERT_TRUE(mount_point(root_.get(), "/a/b/c", true, false));
    EXPECT_TRUE(std::filesystem::is_directory(root_path_ + "/a/b/c"));
    ASSERT_TRUE(mount_point(root_.get(), "/a/file", false, false));
    EXPECT_TRUE(std::filesystem::is_regular_file(root_path_ + "/a/file"));
}

TEST_F(MountPoint, SymlinksStayInside) {
    std::filesystem::create_symlink(outside_, root_path_ + "/absolute");
    std::filesystem::create_symlink("../outside", root_path_ + "/relative");
    std::filesystem::create_symlink("/../../../../" + outside_ + "/deep", root_path_ + "/dangling");
    ASSERT_TRUE(mount_point(root_.get(), "/absolute/x", true, false));
    ASSERT_TRUE(mount_point(root_.get(), "/relative/y", true, false));
    ASSERT_TRUE(mount_point(root_.get(), "/dangling", true, false));
    EXPECT_TRUE(std::filesystem::is_empty(outside_));
    EXPECT_TRUE(std::filesystem::is_directory(root_path_ + outside_ + "/x"));
}

TEST_F(MountPoint, DotDotInThePathCannotClimb) {
    ASSERT_TRUE(mount_point(root_.get(), "/../../outside/z", true, false));
    EXPECT_TRUE(std::filesystem::is_empty(outside_));
    EXPECT_TRUE(std::filesystem::is_directory(root_path_ + "/outside/z"));
}

TEST_F(MountPoint, LoopsEnd) {
    std::filesystem::create_symlink("loop2", root_path_ + "/loop1");
    std::filesystem::create_symlink("loop1", root_path_ + "/loop2");
    const auto r = mount_point(root_.get(), "/loop1/x", true, false);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().errnum(), ELOOP);
}

TEST_F(MountPoint, ProcMayNotBeASymlink) {
    std::filesystem::create_symlink("tmp", root_path_ + "/proc");
    const auto r = mount_point(root_.get(), "/proc", true, true);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().errnum(), ELOOP);
}

}  // namespace
}  // namespace orlop::launch
