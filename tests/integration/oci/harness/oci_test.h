// The fixture of every suite of the OCI runtime: bundles, containers, and the look for what they left.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "oci/harness/config.h"
#include "oci/harness/leftovers.h"
#include "oci/harness/runtime.h"

namespace orlop::it {

// A bundle on disk; config.json is written when the container is made.
struct Bundle {
    std::string id, dir, rootfs;
    std::string file(const std::string& name) const { return dir + "/" + name; }
    std::string log() const { return file("log"); }
};

class OciTest : public ::testing::Test {
  protected:
    void SetUp() override;
    // Deletes every container of the test by force and looks for what stays.
    void TearDown() override;

    Runtime& runtime() { return runtime_; }
    // <base>/rootfs, hard-linked, so that each container has its own directories.
    Bundle bundle();
    // The place of the container's cgroup, in the driver's form.
    std::string cgroups_path(const std::string& id) const;
    void write_config(const Bundle& bundle, Json spec) const;

    // run: to the end; output and exit code are the container's.
    Reply run_to_end(Json spec, const std::vector<std::string>& flags = {});
    Reply run_to_end(const Bundle& bundle, Json spec, const std::vector<std::string>& flags = {});
    // The output of a script that has to succeed.
    std::string output_of(Json spec);
    Reply create(const Bundle& bundle, Json spec, const std::vector<std::string>& flags = {});
    // create and start, or a failure of the test; what it prints is in the log.
    Bundle launch(Json spec, const std::vector<std::string>& flags = {});
    Reply exec(const Bundle& bundle, const std::string& script, const std::vector<std::string>& flags = {});
    Reply oci(const std::vector<std::string>& args) { return runtime_.call(args); }
    Json state(const Bundle& bundle);
    std::string status(const Bundle& bundle);
    bool becomes(const Bundle& bundle, const std::string& status);
    pid_t pid(const Bundle& bundle);
    bool log_shows(const Bundle& bundle, const std::string& text);
    // A file of the container's cgroup, read from outside; `v1` = "controller/file".
    std::string cgroup_file(const Bundle& bundle, const std::string& v1, const std::string& v2);
    // A failure: nothing of the container may be there afterwards.
    void expect_nothing_left(const Bundle& bundle);

  private:
    // One for all tests: what one left is told once.
    static Leftovers& whole_run();

    Runtime runtime_{"", place().systemd ? Driver::Systemd : Driver::Cgroupfs};
    std::vector<std::string> ids_;
    Leftovers& leftovers_ = whole_run();
    bool started_ = false;
};

// The same over the cgroup drivers of the place.
class OciDriverTest : public OciTest, public ::testing::WithParamInterface<Driver> {
  protected:
    void SetUp() override {
        OciTest::SetUp();
        runtime().use(GetParam());
    }
};

#define ORLOP_OCI_EVERY_DRIVER(suite)                                 \
    INSTANTIATE_TEST_SUITE_P(, suite, ::testing::ValuesIn(drivers()), \
                             [](const auto& tested) { return name_of(tested.param); })

// Without the last newline.
std::string trimmed(std::string text);
// Whether a file holds the text; the file may not be there yet.
bool file_shows(const std::string& path, const std::string& text);
void write_text(const std::string& path, const std::string& text, unsigned mode = 0644);

}  // namespace orlop::it
