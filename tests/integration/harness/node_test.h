// The fixture of suites that share one node: started by the first test, ended after the last, checked for
// leaks after each.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "harness/leak_check.h"
#include "harness/specs.h"

namespace orlop::it {

class NodeTest : public ::testing::Test {
  public:
    static void TearDownTestSuite();

  protected:
    // Skips, or starts the node if no test of the suite has, and imports the busybox image.
    void SetUp() override;
    // Removes every pod and looks for leaks.
    void TearDown() override;

    Node& node() { return *node_; }
    Crictl crictl() { return node_->crictl(); }

    // A pod with a container that runs `script`, both with the name.
    struct Launched {
        std::string pod, container;
    };
    Launched launch(const std::string& name, const std::string& script);
    std::string log_of(const std::string& pod_name, const std::string& container) const;

  private:
    static std::unique_ptr<Node> node_;
    static std::unique_ptr<LeakCheck> whole_suite_;
    std::unique_ptr<LeakCheck> leaks_;
};

// One line of a CRI log file.
struct LogLine {
    std::string time, stream, tag, text;
};
std::vector<LogLine> parse_log(const std::string& text);

}  // namespace orlop::it
