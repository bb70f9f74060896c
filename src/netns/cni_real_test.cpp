// The distribution's plugins, with the bridge inside a network namespace that stands for the host.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "netns/cni.h"
#include "netns/netns.h"
#include "netns/test_support.h"

namespace orlop::netns {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* kPlugins = "/usr/lib/cni";

Strings addresses_of(const std::string& ifname) {
    Strings found;
    ifaddrs* all = nullptr;
    if (getifaddrs(&all) != 0) return found;
    for (const ifaddrs* at = all; at != nullptr; at = at->ifa_next) {
        if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET || ifname != at->ifa_name) continue;
        char text[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(at->ifa_addr)->sin_addr, text, sizeof text);
        found.emplace_back(text);
    }
    freeifaddrs(all);
    return found;
}

sockaddr_in address(const std::string& ip, uint16_t port) {
    sockaddr_in raw{};
    raw.sin_family = AF_INET;
    raw.sin_port = htons(port);
    inet_pton(AF_INET, ip.c_str(), &raw.sin_addr);
    return raw;
}

UniqueFd tcp_socket() {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{5, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return fd;
}

bool can_connect(const std::string& ip, uint16_t port) {
    const UniqueFd fd = tcp_socket();
    const sockaddr_in to = address(ip, port);
    return connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

UniqueFd listen_on(const std::string& ip, uint16_t port) {
    UniqueFd fd = tcp_socket();
    const sockaddr_in at = address(ip, port);
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0) << ip << ": " << errno;
    EXPECT_EQ(listen(fd.get(), 4), 0);
    return fd;
}

// The test's thread, and so the plugins it starts, in a "host" namespace of its own.
class RealPlugins : public ::testing::Test {
  protected:
    void SetUp() override {
        for (const char* plugin : {"bridge", "host-local", "portmap", "loopback"}) {
            if (access((std::string(kPlugins) + "/" + plugin).c_str(), X_OK) != 0)
                GTEST_SKIP() << "NEEDS: " << kPlugins << "/" << plugin << " (containernetworking-plugins)";
        }
        home_ = UniqueFd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        const auto host = create({scratch_ / "netns", {}});
        if (!host)
            GTEST_SKIP() << "NEEDS: root (CAP_SYS_ADMIN) to make network namespaces: " << host.error().what();
        const UniqueFd host_fd(open(host->c_str(), O_RDONLY | O_CLOEXEC));
        ASSERT_TRUE(remove(*host));
        ASSERT_EQ(setns(host_fd.get(), CLONE_NEWNET), 0);
        entered_ = true;
        runner_ =
            make_cni_runner({scratch_ / "net.d", {kPlugins}, scratch_ / "cache"}, std::chrono::seconds(30));
        attachment_.container_id = std::string(64, 'b');
        attachment_.pod_namespace = "default";
        attachment_.pod_name = "web";
        const auto made = create({scratch_ / "netns", {}});
        ASSERT_TRUE(made) << made.error().what();
        attachment_.netns = *made;
    }
    void TearDown() override {
        if (!attachment_.netns.empty()) {
            EXPECT_TRUE(remove(attachment_.netns));
        }
        if (entered_) {
            ASSERT_EQ(setns(home_.get(), CLONE_NEWNET), 0);
        }
    }

    NetworkConfig bridge(const std::string& version, const std::string& more = "") {
        scratch_.write("net.d/10-pods.conflist", R"({"cniVersion":")" + version +
                                                     R"(","name":"pods","plugins":[{
            "type":"bridge","bridge":"orlop-t0","isGateway":true,"ipam":{"type":"host-local","dataDir":")" +
                                                     (scratch_ / "ipam") +
                                                     R"(","ranges":[[{"subnet":"10.211.7.0/24"}]],
            "routes":[{"dst":"0.0.0.0/0"}]}})" + more +
                                                     "]}");
        auto loaded = load_networks(scratch_ / "net.d");
        EXPECT_TRUE(loaded) << loaded.error().what();
        return loaded->network;
    }
    Strings allocations() const {
        Strings found;
        for (const auto& entry : std::filesystem::directory_iterator(scratch_ / "ipam/pods")) {
            const std::string name = entry.path().filename();
            if (name.starts_with("10.")) found.push_back(name);
        }
        return found;
    }
    static Strings veths() {
        Strings names = interface_names();
        std::erase_if(names, [](const std::string& name) { return !name.starts_with("veth"); });
        return names;
    }
    void expect_nothing_left() {
        EXPECT_EQ(veths(), Strings{});
        EXPECT_EQ(allocations(), Strings{});
        EXPECT_TRUE(std::filesystem::is_empty(scratch_ / "cache/results"));
    }

    Scratch scratch_;
    UniqueFd home_;
    bool entered_ = false;
    Attachment attachment_;
    std::unique_ptr<CniRunner> runner_;
};

TEST_F(RealPlugins, APodOnTheBridgeHasItsAddressAndReachesItsGatewayInEveryVersion) {
    for (const std::string version : {"0.3.1", "0.4.0", "1.0.0"}) {
        const NetworkConfig network = bridge(version);
        ASSERT_TRUE(runner_->check_binaries(network));
        const auto added = runner_->add(network, attachment_);
        ASSERT_TRUE(added) << version << ": " << added.error().what();
        ASSERT_EQ(added->ips.size(), 1u);
        EXPECT_EQ(allocations(), added->ips);
        EXPECT_EQ(veths().size(), 1u);
        EXPECT_EQ(addresses_of("orlop-t0"), Strings{"10.211.7.1"});

        const UniqueFd listener = listen_on("10.211.7.1", 8080);
        Strings inner;
        bool reached = false;
        ASSERT_TRUE(inside(attachment_.netns, [&] {
            inner = addresses_of("eth0");
            reached = can_connect("10.211.7.1", 8080);
        }));
        EXPECT_EQ(inner, added->ips);
        EXPECT_TRUE(reached) << version;

        const auto deleted = runner_->del(network, attachment_);
        ASSERT_TRUE(deleted) << version << ": " << deleted.error().what();
        ASSERT_TRUE(inside(attachment_.netns, [&] { inner = interface_names(); }));
        EXPECT_TRUE(std::find(inner.begin(), inner.end(), "eth0") == inner.end());
        expect_nothing_left();
        EXPECT_TRUE(runner_->del(network, attachment_)) << "a second DEL is fine";
    }
}

TEST_F(RealPlugins, DelAfterTheNamespaceIsGoneFreesTheAddress) {
    ASSERT_TRUE(runner_->add(bridge("1.0.0"), attachment_));
    ASSERT_EQ(allocations().size(), 1u);
    ASSERT_TRUE(remove(attachment_.netns));
    attachment_.netns.clear();
    const auto deleted = runner_->del(std::nullopt, attachment_);
    ASSERT_TRUE(deleted) << deleted.error().what();
    EXPECT_EQ(allocations(), Strings{});
}

TEST_F(RealPlugins, PodsAddedAtTheSameTimeHaveAddressesOfTheirOwn) {
    const NetworkConfig network = bridge("1.0.0");
    std::vector<Attachment> pods(6, attachment_);
    std::vector<Strings> ips(pods.size());
    std::vector<std::string> errors(pods.size());
    const auto each = [&](const std::function<void(size_t)>& work) {
        std::vector<std::thread> threads;
        for (size_t i = 0; i < pods.size(); ++i) threads.emplace_back(work, i);
        for (std::thread& thread : threads) thread.join();
    };
    each([&](size_t i) {
        pods[i].container_id = "pod" + std::to_string(i);
        pods[i].netns = create({scratch_ / "netns", {}}).value();
        const auto added = runner_->add(network, pods[i]);
        if (added) ips[i] = added->ips;
        if (!added) errors[i] = added.error().what();
    });
    EXPECT_EQ(errors, Strings(pods.size()));
    std::sort(ips.begin(), ips.end());
    EXPECT_TRUE(std::adjacent_find(ips.begin(), ips.end()) == ips.end());
    EXPECT_EQ(allocations().size(), pods.size());
    EXPECT_EQ(runner_->cached_containers().value(),
              (Strings{"pod0", "pod1", "pod2", "pod3", "pod4", "pod5"}));
    each([&](size_t i) {
        if (auto r = runner_->del(std::nullopt, pods[i]); !r) errors[i] = r.error().what();
        if (auto r = remove(pods[i].netns); !r) errors[i] += r.error().what();
    });
    EXPECT_EQ(errors, Strings(pods.size()));
    expect_nothing_left();
}

TEST_F(RealPlugins, AHostPortReachesThePodUntilDel) {
    if (access("/usr/sbin/iptables", X_OK) != 0) GTEST_SKIP() << "NEEDS: iptables";
    const NetworkConfig network =
        bridge("1.0.0", R"(,{"type":"portmap","capabilities":{"portMappings":true}})");
    attachment_.ports = {{80, 18080, "TCP", ""}};
    const auto added = runner_->add(network, attachment_);
    ASSERT_TRUE(added) << added.error().what();
    UniqueFd server;
    ASSERT_TRUE(inside(attachment_.netns, [&] { server = listen_on(added->ips.at(0), 80); }));
    EXPECT_TRUE(can_connect(added->ips.at(0), 80));
    EXPECT_TRUE(can_connect("10.211.7.1", 18080));
    ASSERT_TRUE(runner_->del(network, attachment_));
    EXPECT_FALSE(can_connect("10.211.7.1", 18080));
    expect_nothing_left();
}

TEST_F(RealPlugins, AFailureInTheChainFreesWhatTheFirstPluginTook) {
    const auto added = runner_->add(bridge("1.0.0", R"(,{"type":"not-there"})"), attachment_);
    ASSERT_FALSE(added);
    EXPECT_NE(added.error().what().find("\"not-there\" is not in /usr/lib/cni"), std::string::npos)
        << added.error().what();
    EXPECT_EQ(veths(), Strings{});
    EXPECT_EQ(allocations(), Strings{});
}

TEST_F(RealPlugins, ALoopbackAloneIsNoPodNetwork) {
    const auto network = parse_network("f", R"({"cniVersion":"1.0.0","name":"lo","type":"loopback"})");
    const auto added = runner_->add(*network, attachment_);
    ASSERT_FALSE(added);
    EXPECT_NE(added.error().what().find("no IP address for eth0"), std::string::npos) << added.error().what();
}

}  // namespace
}  // namespace orlop::netns
