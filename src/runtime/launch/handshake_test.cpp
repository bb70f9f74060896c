#include "runtime/launch/handshake.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "runtime/launch/gate.h"

namespace orlop::launch {
namespace {

struct Ends {
    UniqueFd parent, child;
};

Ends make_ends() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

TEST(ProtocolOrder, TheWholeConversationInItsOrder) {
    Order order;
    for (const Word w : {Word::Born, Word::Hooks, Word::Terminal, Word::Created, Word::Exec}) {
        EXPECT_TRUE(order.next(w)) << static_cast<int>(w);
    }
}

TEST(ProtocolOrder, EveryPartMayBeLeftOutAndAnErrorMayComeAtAnyTime) {
    for (const Word w : {Word::Born, Word::Hooks, Word::Terminal, Word::Created, Word::Exec, Word::Failed}) {
        EXPECT_TRUE(Order().next(w));
        Order order;
        ASSERT_TRUE(order.next(w));
        EXPECT_EQ(order.next(Word::Failed).ok(), w != Word::Failed);
    }
}

TEST(ProtocolOrder, NothingComesTwiceOrBackwardsOrAfterAnError) {
    Order order;
    ASSERT_TRUE(order.next(Word::Terminal));
    EXPECT_FALSE(order.next(Word::Terminal));
    EXPECT_FALSE(order.next(Word::Hooks));
    EXPECT_FALSE(order.next(Word::Go));
    ASSERT_TRUE(order.next(Word::Failed));
    EXPECT_FALSE(order.next(Word::Exec));
}

TEST(Handshake, AnErrorKeepsItsKindErrnoAndWords) {
    Ends ends = make_ends();
    Channel(ends.child.get()).failed(Error::sys("mount proc on /proc", EPERM));
    Launching launching{.report = std::move(ends.parent)};
    const auto stage = advance(launching);
    ASSERT_FALSE(stage);
    EXPECT_EQ(stage.error().errnum(), EPERM);
    EXPECT_EQ(stage.error().what(), "mount proc on /proc: Operation not permitted");
}

TEST(Handshake, ExecIsTheEndAfterTheLastWord) {
    Ends ends = make_ends();
    Launching launching{.report = std::move(ends.parent)};
    EXPECT_EQ(*advance(launching), Stage::Working);
    EXPECT_EQ(finish(launching).error().kind(), Kind::Unavailable);
    Channel(ends.child.get()).exec({.uid = 7, .gid = 8, .groups = {8, 9}});
    EXPECT_EQ(*advance(launching), Stage::Working);
    ends.child.reset();
    EXPECT_EQ(*advance(launching), Stage::Running);
    EXPECT_EQ(launching.identity.uid, 7u);
    EXPECT_EQ(launching.identity.groups, (std::vector<uint32_t>{8, 9}));
}

TEST(Handshake, AnEndWithoutTheLastWordIsADeath) {
    Ends ends = make_ends();
    Launching launching{.report = std::move(ends.parent)};
    ends.child.reset();
    EXPECT_FALSE(advance(launching));
}

TEST(Handshake, HooksWaitForTheStateOfTheContainer) {
    Ends ends = make_ends();
    Launching launching{.report = std::move(ends.parent)};
    EXPECT_EQ(proceed(launching, "{}").error().kind(), Kind::Precondition);
    std::thread child([&] {
        const auto state = Channel(ends.child.get()).hooks();
        ASSERT_TRUE(state);
        EXPECT_EQ(*state, "{\"id\":\"c\"}");
    });
    while (*advance(launching) != Stage::Hooks) std::this_thread::yield();
    EXPECT_TRUE(proceed(launching, "{\"id\":\"c\"}"));
    child.join();
}

TEST(Handshake, AMessageOutOfOrderIsRefused) {
    Ends ends = make_ends();
    Launching launching{.report = std::move(ends.parent)};
    Channel(ends.child.get()).exec({});
    Channel(ends.child.get()).exec({});
    EXPECT_FALSE(advance(launching));
}

class Gate : public testing::Test {
  protected:
    void SetUp() override {
        std::string dir = "/tmp/orlop-gate-XXXXXX";
        ASSERT_NE(mkdtemp(dir.data()), nullptr);
        dir_ = dir;
        path_ = dir + "/gate";
    }
    void TearDown() override { std::filesystem::remove_all(dir_); }
    std::string dir_, path_;
};

TEST_F(Gate, WhoOpensItHearsOfTheExec) {
    UniqueFd gate = *make_gate(path_);
    Ends ends = make_ends();
    std::thread child([&, fd = ends.child.release(), listener = gate.release()] {
        Channel channel(fd);
        ASSERT_TRUE(channel.created({.uid = 3}, listener));
        channel.exec({.uid = 3});
        close(channel.fd());
    });
    Launching launching{.report = std::move(ends.parent)};
    EXPECT_TRUE(open_gate(path_, std::chrono::seconds(10)));
    child.join();
    EXPECT_EQ(*advance(launching), Stage::Created);
    EXPECT_EQ(launching.identity.uid, 3u);
}

TEST_F(Gate, WhoOpensItHearsTheError) {
    UniqueFd gate = *make_gate(path_);
    Ends ends = make_ends();
    std::thread child([&, fd = ends.child.release(), listener = gate.release()] {
        Channel channel(fd);
        ASSERT_TRUE(channel.created({}, listener));
        channel.failed(Error::sys("exec /x", ENOENT));
        close(channel.fd());
    });
    const Status opened = open_gate(path_, std::chrono::seconds(10));
    child.join();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().errnum(), ENOENT);
}

TEST_F(Gate, NobodyWaitingIsAPrecondition) {
    EXPECT_EQ(open_gate(path_, std::chrono::seconds(1)).error().kind(), Kind::Precondition);
    make_gate(path_)->reset();
    EXPECT_EQ(open_gate(path_, std::chrono::seconds(1)).error().kind(), Kind::Precondition);
    EXPECT_EQ(make_gate(std::string(200, 'x')).error().kind(), Kind::Invalid);
}

}  // namespace
}  // namespace orlop::launch
