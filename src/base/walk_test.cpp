#include "base/walk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace orlop {
namespace {

namespace fs = std::filesystem;

struct Row {
    const char* name;
    const char* path;
    int flags;
    Resolve how;
    int error;           // 0 = opens
    const char* opened;  // the file it is, relative to the root
};

// What openat2(2) answers, and what the walk has to.
const Row kRows[] = {
    {"a file", "dir/file", O_RDONLY, Resolve::Beneath, 0, "dir/file"},
    {"the directory itself", ".", O_RDONLY | O_DIRECTORY, Resolve::Beneath, 0, "."},
    {"the root by a slash", "/", O_PATH, Resolve::InRoot, 0, "."},
    {"a slash at the end", "dir/", O_PATH, Resolve::InRoot, 0, "dir"},
    {"a file with a slash", "dir/file/", O_PATH, Resolve::InRoot, ENOTDIR, ""},
    {"a file as a directory", "dir/file/x", O_PATH, Resolve::InRoot, ENOTDIR, ""},
    {"absent", "dir/none", O_RDONLY, Resolve::Beneath, ENOENT, ""},
    {"absent on the way", "none/file", O_RDONLY, Resolve::InRoot, ENOENT, ""},
    {"up and down", "dir/../dir/file", O_RDONLY, Resolve::Beneath, 0, "dir/file"},
    {"out by dots", "../outside", O_RDONLY, Resolve::Beneath, EXDEV, ""},
    {"dots stay in the root", "../../dir/file", O_RDONLY, Resolve::InRoot, 0, "dir/file"},
    {"absolute", "/dir/file", O_RDONLY, Resolve::Beneath, EXDEV, ""},
    {"absolute in the root", "/dir/file", O_RDONLY, Resolve::InRoot, 0, "dir/file"},
    {"a link", "link", O_RDONLY, Resolve::Beneath, 0, "dir/file"},
    {"a link where none may be", "link", O_RDONLY, Resolve::NoSymlinks, ELOOP, ""},
    {"a link on the way where none may be", "dirlink/file", O_RDONLY, Resolve::NoSymlinks, ELOOP, ""},
    {"a link on the way", "dirlink/file", O_RDONLY, Resolve::InRoot, 0, "dir/file"},
    {"a link out", "out", O_RDONLY, Resolve::Beneath, EXDEV, ""},
    {"a link out stays in the root", "out", O_RDONLY, Resolve::InRoot, 0, "outside"},
    {"an absolute link", "absolute", O_RDONLY, Resolve::Beneath, EXDEV, ""},
    {"an absolute link in the root", "absolute", O_RDONLY, Resolve::InRoot, 0, "dir/file"},
    {"a loop", "loop", O_RDONLY, Resolve::InRoot, ELOOP, ""},
    {"a link itself", "link", O_PATH | O_NOFOLLOW, Resolve::InRoot, 0, "link"},
    {"not a link to be read", "link", O_RDONLY | O_NOFOLLOW, Resolve::InRoot, ELOOP, ""},
    {"a directory wanted", "dir/file", O_RDONLY | O_DIRECTORY, Resolve::InRoot, ENOTDIR, ""},
    {"a path only", "dirlink", O_PATH, Resolve::InRoot, 0, "dir"},
    {"made anew where it is", "dir/file", O_WRONLY | O_CREAT | O_EXCL, Resolve::Beneath, EEXIST, ""},
    {"made anew through a link", "link", O_WRONLY | O_CREAT | O_EXCL, Resolve::Beneath, EEXIST, ""},
    {"nothing", "", O_PATH, Resolve::InRoot, ENOENT, ""},
};

class WalkTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string base = "/tmp/orlop-walk-XXXXXX";
        ASSERT_NE(mkdtemp(base.data()), nullptr);
        base_ = base;
        root_ = base_ + "/root";
        fs::create_directories(root_ + "/dir");
        for (const std::string& file : {base_ + "/outside", root_ + "/outside", root_ + "/dir/file"})
            std::ofstream(file) << file;
        fs::create_symlink("dir/file", root_ + "/link");
        fs::create_symlink("dir", root_ + "/dirlink");
        fs::create_symlink("../../outside", root_ + "/out");
        fs::create_symlink("/dir/file", root_ + "/absolute");
        fs::create_symlink("loop", root_ + "/loop");
        fd_ = UniqueFd(open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    void TearDown() override { fs::remove_all(base_); }

    ino_t inode(const char* path) const {
        struct stat st {};
        EXPECT_EQ(lstat((root_ + "/" + path).c_str(), &st), 0) << path;
        return st.st_ino;
    }
    void expect(const Row& row, const Result<UniqueFd>& result, const char* by) const {
        ASSERT_EQ(result.ok(), row.error == 0) << row.name << " by " << by;
        if (row.error != 0) {
            EXPECT_EQ(result.error().errnum(), row.error) << row.name << " by " << by;
            return;
        }
        struct stat st {};
        ASSERT_EQ(fstat((*result).get(), &st), 0);
        EXPECT_EQ(st.st_ino, inode(row.opened)) << row.name << " by " << by;
    }
    std::string base_, root_;
    UniqueFd fd_;
};

TEST_F(WalkTest, AnswersAsTheKernelDoes) {
    for (const Row& row : kRows) {
        expect(row, open_under(fd_.get(), row.path, row.flags, row.how, 0600), "the kernel");
        expect(row, open_by_walking(fd_.get(), row.path, row.flags, row.how, 0600), "walking");
    }
}

TEST_F(WalkTest, MakesFilesWhereTheyBelong) {
    ASSERT_TRUE(open_by_walking(fd_.get(), "dirlink/new", O_WRONLY | O_CREAT, Resolve::InRoot, 0640));
    EXPECT_EQ(fs::status(root_ + "/dir/new").permissions() & fs::perms::others_all, fs::perms::none);
    EXPECT_FALSE(open_by_walking(fd_.get(), "../new", O_WRONLY | O_CREAT, Resolve::Beneath, 0600));
    EXPECT_FALSE(fs::exists(base_ + "/new"));
}

TEST(WalkInProc, LinksOfTheKernelAreRefusedByBoth) {
    UniqueFd proc(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
    const std::string root_link = "self/root";
    for (const std::string& path : {root_link, std::string("self/ns/net"), std::string("self/exe"),
                                    "self/fd/" + std::to_string(proc.get())}) {
        EXPECT_FALSE(open_under(proc.get(), path, O_PATH, Resolve::InRoot)) << path;
        EXPECT_FALSE(open_by_walking(proc.get(), path, O_PATH, Resolve::InRoot)) << path;
    }
    EXPECT_TRUE(open_under(proc.get(), "self/status", O_RDONLY, Resolve::Beneath));
    EXPECT_TRUE(open_by_walking(proc.get(), "self/status", O_RDONLY, Resolve::Beneath));
}

}  // namespace
}  // namespace orlop
