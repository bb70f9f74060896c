// Attacks through CRI that other runtimes fell to. Each is mounted twice: against the daemon under test,
// where it has to fail, and against orlop-runtime-weak and orlop-shim-weak with just that defence left out
// (base/weak.h), where it has to succeed, or the test would see nothing.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "harness/node_test.h"

namespace orlop::it {

// How far a container came, and what it said.
struct Outcome {
    bool started = false;
    int code = -1;        // of its end; -1: it did not start
    std::string out;      // stdout and stderr, as its log has them
    std::string refusal;  // why pod, container or start was refused
};

class AttackTest : public NodeTest {
  protected:
    using Attack = std::function<bool()>;  // whether it succeeded

    void SetUp() override;

    // `defences` are names of base/weak.h, separated by commas.
    void expect_defended(const std::string& defences, const Attack& attack);

    // For Node::use_program: the weak daemon with the weak shim.
    std::vector<std::string> weak_program(const std::string& defences);

    // Runs a pod with that one container to its end; a refusal on the way is an outcome.
    Outcome run_to_end(const Json& pod, const Json& container);
    // With a name of its own, so that no attempt reads another's log.
    Json new_pod(const std::string& name);
    static Json in_image(Json container, const ImageSpec& image);

    // The busybox image with more files, under that name; removed with the test.
    ImageSpec hostile_image(const std::string& name, const Layer& more);
    void import(const ImageSpec& image);
    void TearDown() override;

    // A file that says "of the host", in a directory of this test's that every user of the host may enter.
    std::string victim_directory();

  private:
    void restart_as(const std::vector<std::string>& program);

    std::set<std::string> images_;
};

// Which the attacks run inside containers; the file of a hostile image (attacker/attacker.cpp).
ImageFile attacker_file(const std::string& path, mode_t mode = 0755);
// A program beside this one.
std::string built_with_the_tests(const std::string& name);

}  // namespace orlop::it
