#include "netns/netns.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "netns/sysctl.h"
#include "netns/test_support.h"

namespace orlop::netns {
namespace {

// The whole binary in a mount namespace of its own, so that what is left at the end is ours alone.
class MountLeakCheck final : public ::testing::Environment {
  public:
    void SetUp() override {
        if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
            return;
        before_ = mounts();
    }
    void TearDown() override {
        if (before_.empty()) return;
        for (const std::string& mount : mounts()) {
            EXPECT_TRUE(std::find(before_.begin(), before_.end(), mount) != before_.end())
                << "left: " << mount;
        }
    }

  private:
    static std::vector<std::string> mounts() {
        std::ifstream file("/proc/self/mountinfo");
        std::vector<std::string> lines;
        for (std::string line; std::getline(file, line);) lines.push_back(line);
        return lines;
    }
    std::vector<std::string> before_;
};
const auto* const kLeakCheck = ::testing::AddGlobalTestEnvironment(new MountLeakCheck);

std::string sysctl_inside(const std::string& netns, const std::string& path) {
    std::string value;
    EXPECT_TRUE(inside(netns, [&] { value = read_file("/proc/sys/" + path).value_or("?"); }));
    return value;
}

TEST(Sysctl, NamesGiveThePathBelowProcSys) {
    const std::pair<std::string, std::string> rows[] = {
        {"net.ipv4.ip_forward", "net/ipv4/ip_forward"},
        {"net/ipv4/ip_forward", "net/ipv4/ip_forward"},
        {"net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"},
        {"net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding"},
    };
    for (const auto& [name, path] : rows) {
        const auto found = net_sysctl_path(name);
        ASSERT_TRUE(found) << name << ": " << found.error().what();
        EXPECT_EQ(*found, path);
    }
}

TEST(Sysctl, RefusesWhatIsNotBelowNet) {
    for (const char* name : {"", "net", "net.", "net/", "kernel.shmmax", "kernel/shmmax", "network.x",
                             "/net/ipv4/x", "net/../kernel/shmmax", "net.//.kernel.shmmax", "net..ipv4",
                             "net/ipv4//x", "net/./x", "net.ipv4.x\n", "net/ipv4/..", "net.ipv4.//"}) {
        const auto found = net_sysctl_path(name);
        ASSERT_FALSE(found) << name << " gave " << *found;
        EXPECT_EQ(found.error().kind(), Kind::Invalid);
    }
}

TEST(Sysctl, ValuesAreOneLine) {
    EXPECT_TRUE(check_sysctl_value("1024\t65535"));
    EXPECT_TRUE(check_sysctl_value("1024 65535"));
    EXPECT_FALSE(check_sysctl_value("1\n2"));
    EXPECT_FALSE(check_sysctl_value(std::string("1\0", 2)));
    EXPECT_FALSE(check_sysctl_value(std::string(5000, '1')));
}

TEST(Netns, IsANewNamespaceWithLoopbackUpAndItsSysctls) {
    NEEDS_NETNS();
    Scratch scratch;
    const std::string before = std::filesystem::read_symlink("/proc/thread-self/ns/net");
    const auto path = create(
        {scratch / "netns", {{"net.ipv4.ip_unprivileged_port_start", "80"}, {"net/ipv4/ip_forward", "1"}}});
    ASSERT_TRUE(path) << path.error().what();
    EXPECT_TRUE(path->starts_with(scratch / "netns/cni-")) << *path;
    EXPECT_TRUE(alive(*path));
    EXPECT_EQ(std::filesystem::read_symlink("/proc/thread-self/ns/net"), before) << "the caller moved";

    short flags = 0;
    std::vector<std::string> names;
    ASSERT_TRUE(inside(*path, [&] {
        names = interface_names();
        ifreq request{};
        std::string_view("lo").copy(request.ifr_name, IFNAMSIZ - 1);
        const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        if (ioctl(fd.get(), SIOCGIFFLAGS, &request) == 0) flags = request.ifr_flags;
    }));
    EXPECT_TRUE(std::find(names.begin(), names.end(), "lo") != names.end());
    EXPECT_TRUE(std::find(names.begin(), names.end(), "eth0") == names.end());
    EXPECT_NE(flags & IFF_UP, 0);
    EXPECT_EQ(sysctl_inside(*path, "net/ipv4/ip_unprivileged_port_start"), "80\n");
    EXPECT_EQ(sysctl_inside(*path, "net/ipv4/ip_forward"), "1\n");

    ASSERT_TRUE(remove(*path));
    EXPECT_FALSE(alive(*path));
    EXPECT_FALSE(std::filesystem::exists(*path));
    EXPECT_TRUE(remove(*path)) << "a second remove is fine";
}

TEST(Netns, RemoveDoesNotWaitForWhoIsInside) {
    NEEDS_NETNS();
    Scratch scratch;
    const std::string path = create({scratch.path(), {}}).value();
    const UniqueFd held(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(remove(path));
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Netns, AFailedOneLeavesNothing) {
    NEEDS_NETNS();
    const std::pair<std::string, std::string> rows[] = {
        {"net.ipv4.no_such_thing", "1"},   // found out in the namespace
        {"net.ipv4.ip_forward", "maybe"},  // refused by the kernel
        {"net.ipv4.ip_forward", "1\n"},    // found out before
        {"kernel.shmmax", "1"},
    };
    for (const auto& [name, value] : rows) {
        Scratch scratch;
        const auto path = create({scratch.path(), {{name, value}}});
        ASSERT_FALSE(path) << name;
        EXPECT_EQ(path.error().kind(), Kind::Invalid) << path.error().what();
        EXPECT_NE(path.error().what().find(name), std::string::npos) << path.error().what();
        EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
    }
}

TEST(Netns, AnOrdinaryFileIsNotAlive) {
    Scratch scratch;
    EXPECT_FALSE(alive(scratch.write("cni-x", "")));
    EXPECT_FALSE(alive(scratch / "missing"));
    EXPECT_TRUE(remove(scratch / "cni-x")) << "an unmounted leftover goes too";
    EXPECT_FALSE(std::filesystem::exists(scratch / "cni-x"));
}

TEST(Netns, FileDescriptorsAndThreadsStayFlat) {
    NEEDS_NETNS();
    Scratch scratch;
    const auto count = [](const char* dir) {
        return std::distance(std::filesystem::directory_iterator(dir), std::filesystem::directory_iterator());
    };
    const auto fds = count("/proc/self/fd");
    const auto threads = count("/proc/self/task");
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(remove(create({scratch.path(), {}}).value()));
    EXPECT_EQ(count("/proc/self/fd"), fds);
    EXPECT_EQ(count("/proc/self/task"), threads);
}

TEST(Netns, MayBelongToAUserNamespaceOfItsOwn) {
    if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: needs root";
    NetnsOptions options{.dir = ::testing::TempDir() + "/owned-netns"};
    options.sysctls = {{"net.ipv4.ip_forward", "1"}};
    options.uids = IdRange{0, 70000, 1000};
    options.gids = IdRange{0, 80000, 1000};
    const auto path = create(options);
    ASSERT_TRUE(path) << path.error().what();
    EXPECT_TRUE(alive(*path));
    EXPECT_EQ(sysctl_inside(*path, "net/ipv4/ip_forward"), "1\n");
    UniqueFd net(open(path->c_str(), O_RDONLY | O_CLOEXEC));
    UniqueFd owner(ioctl(net.get(), NS_GET_USERNS));
    ASSERT_TRUE(owner);
    struct stat own {
    }, ours{};
    ASSERT_EQ(fstat(owner.get(), &own), 0);
    ASSERT_EQ(stat("/proc/self/ns/user", &ours), 0);
    EXPECT_NE(own.st_ino, ours.st_ino);
    EXPECT_TRUE(remove(*path));
    EXPECT_FALSE(alive(*path));
}

TEST(Netns, MapsUsersAndGroupsTogether) {
    NetnsOptions options{.dir = ::testing::TempDir() + "/owned-netns"};
    options.uids = IdRange{0, 70000, 1000};
    EXPECT_EQ(create(options).error().kind(), Kind::Invalid);
}

}  // namespace
}  // namespace orlop::netns
