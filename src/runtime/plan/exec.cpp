#include <algorithm>

#include "runtime/plan/plan.h"

namespace orlop::plan {

launch::ExecPlan plan_exec(const launch::LaunchPlan& container, const std::vector<std::string>& command,
                           bool terminal) {
    launch::ExecPlan plan{container.process, container.cgroup};
    plan.process.argv = command;
    plan.process.terminal = terminal;
    std::vector<std::string>& env = plan.process.env;
    const bool has_term = std::any_of(env.begin(), env.end(),
                                      [](const std::string& entry) { return entry.starts_with("TERM="); });
    if (terminal && !has_term) env.push_back("TERM=xterm");
    return plan;
}

}  // namespace orlop::plan
