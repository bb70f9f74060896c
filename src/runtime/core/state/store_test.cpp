#include "runtime/core/state/store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <thread>

#include "runtime/core/state/state.h"

namespace orlop::core {
namespace {

const std::string kA = "aa" + std::string(62, '0');
const std::string kB = "ab" + std::string(62, '0');

class StoreTest : public testing::Test {
  protected:
    void SetUp() override {
        char path[] = "/tmp/orlop-store-XXXXXX";
        ASSERT_NE(mkdtemp(path), nullptr);
        path_ = path;
        reopen();
    }
    void TearDown() override { (void)Dir::open("/tmp")->remove_tree(path_.substr(5)); }
    void reopen() { store_ = std::move(*Containers::open(path_ + "/containers")); }

    static ContainerRecord record(const std::string& id) {
        ContainerRecord r;
        r.id = id;
        r.sandbox = kB;
        r.created_at = 7;
        r.config.mutable_metadata()->set_name("c");
        (*r.config.mutable_annotations())["key"] = "\xc3\xa4 \x01 \" value\n";
        return r;
    }
    void put_record(const std::string& id, const std::string& text) {
        const auto dir = store_->dir().open_dir(id);
        ASSERT_TRUE(dir && dir->write_atomic(ContainerRecord::kFile, text));
    }

    std::string path_;
    std::unique_ptr<Containers> store_;
};

TEST_F(StoreTest, ARecordComesBackAfterARestartByteForByte) {
    ASSERT_TRUE(store_->insert(record(kA)));
    ASSERT_TRUE(store_->update(kA, [](ContainerRecord r) {
        r.phase = ContainerPhase::Exited;
        r.exit_code = 137;
        r.reason = "OOMKilled";
        r.groups = {1, 2};
        return r;
    }));
    reopen();
    EXPECT_TRUE(store_->load()->empty());
    const auto back = store_->get(kA);
    ASSERT_NE(back, nullptr);
    EXPECT_EQ(back->config.annotations().at("key"), "\xc3\xa4 \x01 \" value\n");
    EXPECT_EQ(back->phase, ContainerPhase::Exited);
    EXPECT_EQ(back->exit_code, 137);
    EXPECT_EQ(back->reason, "OOMKilled");
    EXPECT_EQ(back->groups, (std::vector<int64_t>{1, 2}));
}

TEST_F(StoreTest, SandboxRecordsKeepAllOfTheirFields) {
    SandboxRecord r;
    r.id = kA;
    r.phase = SandboxPhase::Ready;
    r.netns = "/run/netns/cni-1";
    r.attached = true;
    r.ips = {"10.0.0.2", "fd00::2"};
    r.cni_result = "{\"a\":1}";
    r.cgroup_path = "/orlop/x";
    r.shim_pid = 5;
    r.pause_pid = 6;
    const auto back = decode_sandbox(encode(r));
    ASSERT_TRUE(back) << back.error().what();
    EXPECT_EQ(encode(*back), encode(r));
    EXPECT_EQ(back->ips, r.ips);
    EXPECT_EQ(back->phase, SandboxPhase::Ready);
}

TEST_F(StoreTest, AFailedWriteLeavesTheOldRecordInForce) {
    ASSERT_TRUE(store_->insert(record(kA)));
    // A directory in the place of the record's file: rename(2) onto it fails.
    ASSERT_TRUE(store_->dir().unlink(kA + "/container.json"));
    ASSERT_TRUE(store_->dir().open_dir(kA)->make_dir("container.json"));
    EXPECT_FALSE(store_->update(kA, [](ContainerRecord r) {
        r.pid = 9;
        return r;
    }));
    EXPECT_EQ(store_->get(kA)->pid, 0);
}

TEST_F(StoreTest, BrokenRecordsAreNamedAndTheOthersLive) {
    ASSERT_TRUE(store_->insert(record(kA)));
    ASSERT_TRUE(store_->make_directory(kB));
    const std::pair<std::string, std::string> broken[] = {
        {"cut short", encode(record(kB)).substr(0, 40)},
        {"empty", ""},
        {"another id", encode(record(kA))},
        {"unknown phase",
         [] {
             std::string text = encode(record(kB));
             return text.replace(text.find("\"created\""), 9, "\"dancing\"");
         }()},
        {"no record at all", "[1,2]"},
    };
    for (const auto& [name, text] : broken) {
        put_record(kB, text);
        reopen();
        const auto leftovers = store_->load();
        ASSERT_TRUE(leftovers);
        ASSERT_EQ(leftovers->size(), 1u) << name;
        EXPECT_EQ((*leftovers)[0].name, kB);
        EXPECT_NE((*leftovers)[0].reason, "") << name;
        EXPECT_NE(store_->get(kA), nullptr);
        EXPECT_EQ(store_->get(kB), nullptr);
    }
}

TEST_F(StoreTest, HalfMadeAndHalfRemovedDirectoriesAreLeftovers) {
    ASSERT_TRUE(store_->make_directory(kA));
    ASSERT_TRUE(store_->dir().make_dir(".removing-" + kB));
    const auto leftovers = store_->load();
    ASSERT_TRUE(leftovers);
    ASSERT_EQ(leftovers->size(), 2u);
    for (const auto& left : *leftovers) {
        EXPECT_EQ(left.reason, "");
        EXPECT_TRUE(store_->discard(left.name));
    }
    EXPECT_TRUE(store_->dir().list()->empty());
}

TEST_F(StoreTest, AnErasedRecordIsGoneForUpdatesAndOnDisk) {
    ASSERT_TRUE(store_->insert(record(kA)));
    ASSERT_TRUE(store_->erase(kA));
    EXPECT_EQ(store_->get(kA), nullptr);
    EXPECT_FALSE(store_->dir().exists(kA));
    EXPECT_EQ(store_->update(kA, [](ContainerRecord r) { return r; }).error().kind(), Kind::NotFound);
    EXPECT_TRUE(store_->erase(kA)) << "a second time finds nothing to do";
}

TEST_F(StoreTest, ShortIdsHaveToBeUnique) {
    ASSERT_TRUE(store_->insert(record(kA)));
    ASSERT_TRUE(store_->insert(record(kB)));
    EXPECT_EQ((*store_->resolve("aa"))->id, kA);
    EXPECT_EQ((*store_->resolve(kB))->id, kB);
    EXPECT_EQ(store_->resolve("a").error().kind(), Kind::Invalid);
    EXPECT_EQ(store_->resolve("b").error().kind(), Kind::NotFound);
    EXPECT_EQ(store_->resolve("").error().kind(), Kind::NotFound);
}

TEST_F(StoreTest, AWaiterIsWokenByTheChange) {
    ASSERT_TRUE(store_->insert(record(kA)));
    std::thread changer([&] {
        (void)store_->update(kA, [](ContainerRecord r) { return exited(std::move(r), 0, false, 1); });
    });
    EXPECT_TRUE(store_->wait(
        kA, [](const ContainerRecord* r) { return r->phase == ContainerPhase::Exited; },
        std::chrono::seconds(30)));
    changer.join();
}

TEST_F(StoreTest, ConcurrentUpdatesAllCount) {
    ASSERT_TRUE(store_->insert(record(kA)));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 5; ++i) {
                (void)store_->update(kA, [](ContainerRecord r) {
                    ++r.exit_code;
                    return r;
                });
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(store_->get(kA)->exit_code, 20);
}

TEST(Records, EndsHaveTheReasonsThatClientsKnow) {
    const ContainerRecord r;
    EXPECT_EQ(exited(r, 0, false, 1).reason, "Completed");
    EXPECT_EQ(exited(r, 3, false, 1).reason, "Error");
    EXPECT_EQ(exited(r, 137, true, 1).reason, "OOMKilled");
    EXPECT_EQ(exited(r, 0, true, 1).reason, "Completed") << "a child was killed, the container coped";
    EXPECT_EQ(lost(r, "m", 1).reason, "Unknown");
    EXPECT_EQ(lost(r, "m", 1).exit_code, 255);
    EXPECT_EQ(start_failed(r, "m", 1).reason, "StartError");
    EXPECT_EQ(start_failed(r, "m", 1).exit_code, 128);
    EXPECT_EQ(start_failed(r, "m", 5).finished_at, 5);
}

}  // namespace
}  // namespace orlop::core
