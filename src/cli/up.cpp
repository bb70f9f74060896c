#include <poll.h>
#include <unistd.h>

#include <cstdio>

#include "base/dir.h"
#include "cli/claim.h"
#include "cli/commands.h"
#include "cli/cri_client.h"
#include "cli/daemons.h"
#include "cli/node_control.h"
#include "cli/node_view.h"
#include "cli/progress.h"

namespace orlop::cli {

namespace {

constexpr Nanos kDaemonsAnswer = std::chrono::seconds(30);
constexpr int kLookAgainMs = 100;

void say(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

void pause_ms(int ms) {
    poll(nullptr, 0, ms);
}

Status check_programs(const std::string& bin_dir) {
    for (const char* program : {"orlop-runtime", "orlop-shim", "orlop-agent"}) {
        const std::string path = bin_dir + "/" + program;
        if (access(path.c_str(), X_OK) != 0)
            return Error::not_found("there is no program " + path +
                                    ": build it, or name its directory with --bin-dir");
    }
    return ok();
}

Result<NodeOptions> with_defaults(NodeOptions options, const NodePaths& paths) {
    if (options.bin_dir.empty()) options.bin_dir = TRY(own_directory());
    if (options.manifests.empty()) options.manifests = paths.manifests;
    if (options.cni_conf.empty()) options.cni_conf = paths.cni_conf;
    return options;
}

Status prepare(const NodePaths& paths, const NodeOptions& options) {
    TRY(check_programs(options.bin_dir));
    TRY(claim_node(paths));
    TRY(make_dirs(options.manifests));
    TRY(make_dirs(options.cni_conf));
    TRY(make_dirs(paths.pod_logs));
    TRY(make_dirs(paths.state));
    TRY(make_dirs(paths.agent_root, 0750));
    TRY(make_dirs(paths.logs));
    const Dir run = TRY(Dir::open(paths.run));
    TRY(run.write_atomic("kubelet.yaml", agent_config(paths, options)));
    return run.write_atomic("node.json", node_options_json(options));
}

// Each daemon in turn: the agent is of no use without a runtime.
Status wait_for_daemons(const NodePaths& paths, NodeControl& control) {
    const SystemClock clock;
    const Nanos end = clock.monotonic() + kDaemonsAnswer;
    const auto answers = [&paths](const std::string& daemon) -> Status {
        if (daemon == "agent") {
            TRY(agent_status(paths.agent_socket, std::chrono::seconds(2)));
        } else {
            const auto client =
                TRY(CriClient::connect("unix://" + paths.runtime_socket, std::chrono::milliseconds(100)));
            TRY(call(client.runtime(), &cri::RuntimeService::Stub::Version, cri::VersionRequest()));
        }
        return ok();
    };
    for (const std::string daemon : {"runtime", "agent"}) {
        for (;;) {
            const Status answer = answers(daemon);
            if (answer) break;
            if (const std::string trouble = control.trouble(daemon); !trouble.empty())
                return Error::failed(trouble);
            if (clock.monotonic() > end) {
                return Error::timed_out("the " + daemon + " does not answer: " + answer.error().what() +
                                        "; see " + control.log_hint(daemon));
            }
            pause_ms(kLookAgainMs / 2);
        }
    }
    return ok();
}

// Until the agent, too, has found the runtime: it may have looked for it a moment too early.
void wait_for_each_other(const NodePaths& paths) {
    constexpr Nanos kPatience = std::chrono::seconds(5);
    const SystemClock clock;
    for (const Nanos end = clock.monotonic() + kPatience; clock.monotonic() < end;
         pause_ms(kLookAgainMs / 2)) {
        const auto agent = agent_status(paths.agent_socket, kPatience);
        if (!agent || agent->conditions.empty() || agent->conditions.front().ok) return;
    }
}

Result<Waiting> look(const NodePaths& paths, const std::string& manifests) {
    constexpr Nanos kAnswer = std::chrono::seconds(5);
    const AgentStatus agent = TRY(agent_status(paths.agent_socket, kAnswer));
    Waiting out;
    out.errors = agent.manifest_errors;
    // The folder first: a manifest that comes in between is then waited for the next time.
    const auto wanted = TRY(wanted_pods_in(manifests));
    out.rows = TRY(agent_pods(paths.agent_socket, kAnswer));
    out.missing = not_seen(wanted, out.rows, agent);
    return out;
}

// True when all pods are Ready.
Result<bool> wait_for_pods(const NodePaths& paths, const std::string& manifests, int seconds) {
    const SystemClock clock;
    const Nanos end = clock.monotonic() + std::chrono::seconds(seconds);
    Display display;
    for (;;) {
        auto now = look(paths, manifests);
        const bool late = clock.monotonic() >= end;
        if (!now && late) return std::move(now).error();
        if (now) {
            display.show(waiting_lines(*now));
            if (now->done() || now->hopeless() || late) {
                display.clear();
                for (const std::string& line : not_ready_lines(*now))
                    std::fprintf(stderr, "orlop: %s\n", line.c_str());
                return now->done();
            }
        }
        pause_ms(kLookAgainMs);
    }
}

}  // namespace

Result<int> up(const Common& common, const UpOptions& given) {
    if (geteuid() != 0)
        return Error::precondition("a node makes namespaces, mounts and cgroups: run this as root");
    const NodePaths paths = common.paths();
    const NodeOptions options = TRY(with_defaults(given.node, paths));
    const auto control = make_control(paths);
    if (TRY(control->running())) {
        say("the node \"" + paths.name + "\" runs already");
    } else {
        TRY(prepare(paths, options));
        say("starting the node \"" + paths.name + "\"");
        TRY(control->start(options));
    }
    if (const Status daemons = wait_for_daemons(paths, *control); !daemons) {
        (void)control->stop();
        return Error(daemons.error()).under("the node \"" + paths.name + "\" did not start");
    }
    wait_for_each_other(paths);
    const bool ready =
        given.wait_seconds < 0 || TRY(wait_for_pods(paths, options.manifests, given.wait_seconds));
    const NodeView view = TRY(look_at_node({.node = common.node, .endpoint = "", .json = false}));
    std::fputs(node_text(view, SystemClock().wall()).c_str(), stdout);
    return ready ? 0 : 1;
}

}  // namespace orlop::cli
