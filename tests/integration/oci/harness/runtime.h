// The OCI runtime under test, called as an engine calls it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/process.h"

namespace orlop::it {

using Json = nlohmann::json;

enum class Driver { Cgroupfs, Systemd };

// The cgroup drivers that this place has; for INSTANTIATE_TEST_SUITE_P.
std::vector<Driver> drivers();
std::string name_of(Driver driver);

class Runtime {
  public:
    Runtime(std::string root, Driver driver) : root_(std::move(root)), driver_(driver) {}

    // "orlop", "runc" or "crun".
    static std::string kind();
    const std::string& root() const { return root_; }
    Driver driver() const { return driver_; }
    void use(Driver driver) { driver_ = driver; }
    // Another program than the place's.
    void use_program(std::string program) { program_ = std::move(program); }
    // In front of the runtime: a wrapper and its arguments.
    void wrap(std::vector<std::string> wrapper) { wrapper_ = std::move(wrapper); }

    std::vector<std::string> argv(const std::vector<std::string>& args) const;
    Reply call(const std::vector<std::string>& args) const;
    // For what lives on and keeps its outputs: they go to `log`; the reply's `err` is the log.
    Reply call_logged(const std::vector<std::string>& args, const std::string& log,
                      std::vector<std::pair<int, int>> fds = {}) const;
    // As call, but the runtime goes on running: for a test that serves it.
    Result<Child> start(const std::vector<std::string>& args, const std::string& log,
                        std::vector<std::pair<int, int>> fds = {}) const;

  private:
    std::string root_;
    Driver driver_;
    std::vector<std::string> wrapper_;
    std::string program_ = place().oci;
};

// Skips what a reference runtime does not have; never skips for orlop-oci.
#define ORLOP_OCI_LACKED_BY(runtime, what)                                       \
    do {                                                                         \
        if (::orlop::it::Runtime::kind() == runtime)                             \
            GTEST_SKIP() << "SKIPPED with " << runtime << ": it lacks " << what; \
    } while (false)

}  // namespace orlop::it
