#include "runtime/oci/store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace orlop::oci {
namespace {

class StoreTest : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/orlop-oci-store-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        base_ = name;
        root_ = base_ + "/root";
    }
    void TearDown() override { (void)Dir::open("/tmp")->remove_tree(base_.substr(5)); }
    // What another process sees, which holds no lock of ours.
    template <class F>
    bool elsewhere(F check) {
        const pid_t child = fork();
        if (child == 0) _exit(check() ? 0 : 1);
        int status = 1;
        waitpid(child, &status, 0);
        return status == 0;
    }
    const Id id_ = *Id::parse("web");
    std::string base_, root_;
};

TEST_F(StoreTest, GivesAnIdOnce) {
    ASSERT_TRUE(ContainerDir::make(root_, id_));
    const auto again = ContainerDir::make(root_, id_);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().what(), "container with id web already exists");
}

TEST_F(StoreTest, IsClosedToOthers) {
    ASSERT_TRUE(ContainerDir::make(root_, id_));
    struct stat st {};
    ASSERT_EQ(stat(root_.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777u, 0700u);
    ASSERT_EQ(stat((root_ + "/web").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777u, 0700u);
}

TEST_F(StoreTest, SaysSoWhenThereIsNone) {
    for (const bool with_root : {false, true}) {
        if (with_root) {
            ASSERT_EQ(mkdir(root_.c_str(), 0700), 0);
        }
        const auto none = ContainerDir::open(root_, id_);
        ASSERT_FALSE(none);
        EXPECT_EQ(none.error().kind(), Kind::NotFound);
        EXPECT_EQ(none.error().what(), "container does not exist: web");
    }
}

TEST_F(StoreTest, KeepsRecordAndConfig) {
    auto dir = ContainerDir::make(root_, id_);
    Record record;
    record.id = "web";
    ASSERT_TRUE(dir->write_record(record));
    EXPECT_EQ(*dir->record(), record);
    record.pid = 5;
    record.pid_start = 6;
    ASSERT_TRUE(dir->write_process(record));
    ASSERT_TRUE(dir->write_config("{}"));
    auto later = ContainerDir::open(root_, id_);
    EXPECT_EQ(*later->record(), record);
    EXPECT_EQ(*later->config(), "{}");
}

TEST_F(StoreTest, IsInUseWhileAnotherProcessHoldsTheLock) {
    auto dir = ContainerDir::make(root_, id_);
    EXPECT_TRUE(elsewhere([&] { return ContainerDir::open(root_, id_)->in_use(); }));
    EXPECT_TRUE(elsewhere([&] {
        auto r = ContainerDir::open(root_, id_)->lock(std::chrono::milliseconds(1));
        return !r && r.error().kind() == Kind::TimedOut;
    }));
    dir->unlock();
    EXPECT_TRUE(elsewhere([&] { return !ContainerDir::open(root_, id_)->in_use(); }));
    EXPECT_TRUE(
        elsewhere([&] { return ContainerDir::open(root_, id_)->lock(std::chrono::seconds(1)).ok(); }));
}

TEST_F(StoreTest, WhoWaitedForADeletedContainerHearsThatItIsGone) {
    auto dir = ContainerDir::make(root_, id_);
    auto waiting = ContainerDir::open(root_, id_);
    ASSERT_TRUE(dir->remove());
    const auto locked = waiting->lock(std::chrono::seconds(1));
    ASSERT_FALSE(locked);
    EXPECT_EQ(locked.error().kind(), Kind::NotFound);
}

TEST_F(StoreTest, ListsContainersAndNotItsOwnDirectories) {
    EXPECT_TRUE(list_containers(root_)->empty());
    ASSERT_TRUE(ContainerDir::make(root_, id_));
    ASSERT_TRUE(staging_dir(root_));
    const auto ids = list_containers(root_);
    ASSERT_EQ(ids->size(), 1u);
    EXPECT_EQ(ids->front().str(), "web");
}

}  // namespace
}  // namespace orlop::oci
