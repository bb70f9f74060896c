// For the tests of this module: a scratch directory, and code that runs inside a network namespace.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/dir.h"
#include "base/unique_fd.h"

namespace orlop::netns {

class Scratch {
  public:
    Scratch() {
        std::string path = "/tmp/orlop-netns-XXXXXX";
        EXPECT_NE(mkdtemp(path.data()), nullptr);
        path_ = path;
    }
    ~Scratch() {
        std::error_code left;
        std::filesystem::remove_all(path_, left);
        EXPECT_FALSE(left) << path_ << ": " << left.message();
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

    std::string write(const std::string& name, const std::string& content, int mode = 0644) const {
        const std::string file = path_ + "/" + name;
        std::filesystem::create_directories(std::filesystem::path(file).parent_path());
        std::ofstream(file) << content;
        std::filesystem::permissions(file, static_cast<std::filesystem::perms>(mode));
        return file;
    }
    std::string read(const std::string& name) const { return read_file(path_ + "/" + name).value_or(""); }

  private:
    std::string path_;
};

// In a thread of its own that enters the namespace; false if it cannot be entered.
inline bool inside(const std::string& netns, const std::function<void()>& work) {
    bool entered = false;
    std::thread([&] {
        const UniqueFd fd(open(netns.c_str(), O_RDONLY | O_CLOEXEC));
        entered = fd && setns(fd.get(), CLONE_NEWNET) == 0;
        if (entered) work();
    }).join();
    return entered;
}

inline std::vector<std::string> interface_names() {
    std::vector<std::string> names;
    struct if_nameindex* const all = if_nameindex();
    for (struct if_nameindex* at = all; at != nullptr && at->if_index != 0; ++at)
        names.emplace_back(at->if_name);
    if (all != nullptr) if_freenameindex(all);
    return names;
}

inline bool can_make_netns() {
    bool can = false;
    std::thread([&] { can = unshare(CLONE_NEWNET) == 0; }).join();
    return can;
}

}  // namespace orlop::netns

#define NEEDS_NETNS() \
    if (!can_make_netns()) GTEST_SKIP() << "NEEDS: root (CAP_SYS_ADMIN) to make network namespaces"
