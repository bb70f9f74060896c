// orlop-agent: the node agent.
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include <cstdio>

#include "agent/node/agent.h"

namespace {

using namespace orlop;
using namespace orlop::agent;

int fail(const Error& error, int code = 1) {
    std::fprintf(stderr, "orlop-agent: %s\n", error.what().c_str());
    return code;
}

Status run(EventLoop& loop, const Options& options, const cgroups::Hierarchies& hierarchies) {
    const bool v2 = hierarchies.version == cgroups::Version::V2;
    if (!v2 && options.config.fail_cgroup_v1)
        return Error::precondition(
            "this node has cgroup v1 and failCgroupV1 is set: unset it, or boot with v2");
    NodeFacts facts = TRY(gather_facts(options, v2));
    const UniqueFd lock = TRY(lock_root(facts.paths));
    Agent agent(loop, options, hierarchies, std::move(facts));
    // Pods go on without the agent: it only has to leave.
    const auto leave = [&loop] {
        spdlog::info("stopping; pods go on");
        loop.stop();
    };
    const Watch term = TRY(loop.add_signal(SIGTERM, leave));
    const Watch interrupt = TRY(loop.add_signal(SIGINT, leave));
    TRY(agent.start());
    spdlog::info("orlop-agent {} on node {}", ORLOP_VERSION, options.node_name);
    sd_notify(0, "READY=1");
    TRY(loop.run());
    sd_notify(0, "STOPPING=1");
    unlink(options.status_socket.c_str());
    // Calls may still be under way for minutes; everything that matters is on disk or in the runtime.
    spdlog::shutdown();
    _exit(0);
}

}  // namespace

int main(int argc, char** argv) {
    const Parsed parsed = parse_command_line(argc, argv);
    if (!parsed.options) {
        std::fputs(parsed.text.c_str(), parsed.exit_code == 0 ? stdout : stderr);
        return parsed.exit_code;
    }
    const Options& options = *parsed.options;
    if (auto log = setup_logging(options.log); !log) return fail(log.error(), 2);
    for (const std::string& each : options.warnings) spdlog::warn("{}", each);
    if (auto host = check_host(options); !host) return fail(host.error());
    signal(SIGPIPE, SIG_IGN);
    auto hierarchies = cgroups::detect();
    if (!hierarchies) return fail(hierarchies.error());
    auto loop = EventLoop::make();
    if (!loop) return fail(loop.error());
    if (auto ran = run(**loop, options, *hierarchies); !ran) return fail(ran.error());
    return 0;
}
