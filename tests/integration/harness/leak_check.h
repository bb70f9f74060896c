// What a node leaves behind: compared before and after, by category.
#pragma once

#include <map>
#include <set>
#include <string>

#include "harness/node.h"

namespace orlop::it {

// Category ("mounts", "netns", "cgroups", "units", "processes", "veths", "files", "addresses") -> what is
// there.
using Holdings = std::map<std::string, std::set<std::string>>;

class LeakCheck {
  public:
    // Remembers what is there now.
    explicit LeakCheck(NodePaths paths);
    // Fails the test with everything that was not there at the beginning and does not go away within the
    // deadline (exits of processes are noticed a moment after the call that caused them).
    void expect_clean(std::chrono::seconds limit = scaled(5)) const;
    // What is there now and was not then, one line each.
    std::string left() const;

  private:
    Holdings look() const;

    NodePaths paths_;
    Holdings before_;
};

}  // namespace orlop::it
