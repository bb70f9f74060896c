// Progress of several things at once: a block that is redrawn on a terminal; elsewhere a line only when
// something has changed.
#pragma once

#include <string>
#include <vector>

#include "cli/agent_client.h"
#include "cli/manifests.h"
#include "cli/pod_row.h"

namespace orlop::cli {

// Lines of `now` that `before` did not have. Pure.
std::vector<std::string> changed_lines(const std::vector<std::string>& before,
                                       const std::vector<std::string>& now);

// What a terminal has to be sent to show `now` where `before` lines were drawn (ECMA-48: cursor up, erase).
// Lines are cut to `columns`, so that none wraps. Pure.
std::string redraw(size_t before, const std::vector<std::string>& now, size_t columns);

class Display {
  public:
    // For standard output.
    Display();
    void show(const std::vector<std::string>& lines);
    // Takes the block away, so that something final can take its place. Printed lines stay.
    void clear();
    bool on_terminal() const { return terminal_; }

  private:
    bool terminal_;
    std::vector<std::string> shown_;
};

// What is known of a node while `up --wait` waits.
struct Waiting {
    std::vector<PodRow> rows;
    std::vector<WantedPod> missing;  // not taken over by the agent yet
    std::vector<ManifestError> errors;

    bool done() const;
    // Nothing that is still going on can make it done: every pod that is not settled has failed. A manifest
    // error is no such case: the agent reads a file again that is being copied.
    bool hopeless() const;
};

// One line a pod and a manifest error.
std::vector<std::string> waiting_lines(const Waiting& waiting);
// What is not Ready and why, one line each, for when the time is over.
std::vector<std::string> not_ready_lines(const Waiting& waiting);

}  // namespace orlop::cli
