#include "runtime/core/shims/hub.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <future>

#include "base/dir.h"

namespace orlop::core {
namespace {

constexpr Nanos kLong = std::chrono::seconds(30);

// A listening socket and a thread of the test that says what a shim would.
class FakeShim {
  public:
    explicit FakeShim(const std::string& path) {
        listener_ = UniqueFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(listen(listener_.get(), 4), 0);
    }
    // Accepts one daemon and answers its Hello.
    void welcome() {
        peer_ = UniqueFd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        const auto hello = next();
        EXPECT_TRUE(std::holds_alternative<shim::Hello>(hello.body));
        say(hello.request, shim::Snapshot{.shim_pid = 42, .pause_pid = 43, .containers = {}});
    }
    shim::Message next() {
        auto received = shim::receive_message(peer_.get());
        EXPECT_TRUE(received);
        fds = std::move(received->fds);
        return received->message;
    }
    void say(uint64_t request, shim::Body body) {
        EXPECT_TRUE(shim::send_message(peer_.get(), {.request = request, .body = std::move(body)}));
    }
    void die() { peer_.reset(); }

    std::vector<UniqueFd> fds;  // of the last message

  private:
    UniqueFd listener_, peer_;
};

class ShimHubTest : public testing::Test {
  protected:
    void SetUp() override {
        char path[] = "/tmp/orlop-hub-XXXXXX";
        ASSERT_NE(mkdtemp(path), nullptr);
        path_ = path;
        shim_ = std::make_unique<FakeShim>(path_ + "/shim.sock");
        hub_ = std::move(*ShimHub::make({.exited = [this](const auto&, const auto& e) { exit_.set_value(e); },
                                         .oom = {},
                                         .gone = [this](const auto& s) { gone_.set_value(s); }}));
        auto accepting = std::async(std::launch::async, [this] { shim_->welcome(); });
        const auto hello = hub_->connect("pod", path_ + "/shim.sock", kLong);
        accepting.get();
        ASSERT_TRUE(hello) << hello.error().what();
        EXPECT_EQ(hello->shim_pid, 42);
    }
    void TearDown() override {
        hub_.reset();
        (void)Dir::open("/tmp")->remove_tree(path_.substr(5));
    }
    std::future<Result<shim::Body>> ask(shim::Body body, Nanos timeout = kLong) {
        return std::async(std::launch::async,
                          [this, body, timeout] { return hub_->call("pod", body, {}, timeout); });
    }

    std::string path_;
    std::promise<shim::Exit> exit_;
    std::promise<std::string> gone_;
    std::unique_ptr<FakeShim> shim_;
    std::unique_ptr<ShimHub> hub_;
};

TEST_F(ShimHubTest, RepliesInAnyOrderFindTheirCallers) {
    auto a = ask(shim::Forget{.container = "a"});
    const auto first = shim_->next();
    auto b = ask(shim::Forget{.container = "b"});
    const auto second = shim_->next();
    EXPECT_NE(first.request, second.request);
    shim_->say(second.request, shim::Done{});
    EXPECT_TRUE(b.get());
    shim_->say(first.request, shim::Started{.pid = 5});
    EXPECT_EQ(std::get<shim::Started>(*a.get()).pid, 5);
}

TEST_F(ShimHubTest, AFailedReplyIsAnErrorOfItsKind) {
    auto call = ask(shim::Shutdown{});
    shim_->say(shim_->next().request,
               shim::Failed{.kind = Kind::Precondition, .errnum = EBUSY, .what = "still running"});
    const auto result = call.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind(), Kind::Precondition);
    EXPECT_EQ(result.error().errnum(), EBUSY);
    EXPECT_EQ(result.error().what(), "still running");
}

TEST_F(ShimHubTest, DescriptorsTravelWithTheirMessage) {
    std::vector<UniqueFd> fds;
    fds.push_back(*shim::bytes_to_memfd("x", "plan"));
    auto call = std::async(std::launch::async, [&] {
        return hub_->call("pod", shim::StartContainer{.log_path = "/l"}, std::move(fds), kLong);
    });
    const auto message = shim_->next();
    ASSERT_EQ(shim_->fds.size(), 1u);
    EXPECT_EQ(*read_all(shim_->fds[0].get()), "plan");
    shim_->say(message.request, shim::Started{});
    EXPECT_TRUE(call.get());
}

TEST_F(ShimHubTest, AnAnswerThatIsLateIsDropped) {
    EXPECT_EQ(ask(shim::Shutdown{}, Nanos(1)).get().error().kind(), Kind::TimedOut);
    const auto late = shim_->next();
    auto next = ask(shim::Forget{.container = "a"});
    const auto asked = shim_->next();
    shim_->say(late.request, shim::Failed{.what = "late"});
    shim_->say(asked.request, shim::Done{});
    EXPECT_TRUE(next.get());
}

TEST_F(ShimHubTest, ExitsReachTheListener) {
    shim_->say(0, shim::Exited{.exit = {.container = "c", .code = 137, .oom = true}});
    const shim::Exit exit = exit_.get_future().get();
    EXPECT_EQ(exit.container, "c");
    EXPECT_EQ(exit.code, 137);
    EXPECT_TRUE(exit.oom);
}

TEST_F(ShimHubTest, TheDeathOfAShimFailsItsCallersAndIsTold) {
    const auto exec = hub_->expect_exec("pod", "e");
    ASSERT_TRUE(exec);
    auto call = ask(shim::Shutdown{});
    (void)shim_->next();
    shim_->die();
    EXPECT_EQ(call.get().error().kind(), Kind::Unavailable);
    EXPECT_EQ(gone_.get_future().get(), "pod");
    EXPECT_FALSE((*exec)->outcome()->ok());
    EXPECT_FALSE(hub_->connected("pod"));
    EXPECT_EQ(ask(shim::Shutdown{}).get().error().kind(), Kind::Unavailable);
}

TEST_F(ShimHubTest, AnExecsEndWakesWhoeverPolls) {
    const auto exec = hub_->expect_exec("pod", "e");
    ASSERT_TRUE(exec);
    EXPECT_FALSE((*exec)->outcome());
    shim_->say(0, shim::ExecExited{.exec_id = "other", .code = 1});
    shim_->say(0, shim::ExecExited{.exec_id = "e", .code = 7});
    pollfd ready{.fd = (*exec)->ready(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(poll(&ready, 1, 30'000), 1);
    EXPECT_EQ((*exec)->outcome()->value(), 7);
}

TEST_F(ShimHubTest, AfterADisconnectNobodyIsTold) {
    hub_->disconnect("pod");
    EXPECT_EQ(ask(shim::Shutdown{}).get().error().kind(), Kind::Unavailable);
    hub_.reset();
    EXPECT_EQ(gone_.get_future().wait_for(std::chrono::seconds(0)), std::future_status::timeout);
}

TEST_F(ShimHubTest, NobodyListeningIsUnavailable) {
    const auto refused = hub_->connect("other", path_ + "/none.sock", kLong);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), Kind::Unavailable);
    EXPECT_EQ(refused.error().errnum(), ENOENT);
}

}  // namespace
}  // namespace orlop::core
