// orlop-runtime: the wiring diagram.

#include <malloc.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <future>

#include "base/event_loop.h"
#include "cgroups/systemd/systemd_driver.h"
#include "runtime/core/config.h"
#include "runtime/core/cri/image_service.h"
#include "runtime/core/cri/runtime_service.h"
#include "runtime/core/cri/stats.h"
#include "runtime/core/cri/stop_actions.h"
#include "runtime/core/host_facts.h"
#include "runtime/core/preflight.h"
#include "runtime/core/recovery/recover.h"
#include "runtime/core/server.h"
#include "runtime/core/shims/exit_files.h"
#include "runtime/core/streaming/backend.h"

namespace orlop::core {
namespace {

constexpr Nanos kShimStart = std::chrono::seconds(20);
constexpr Nanos kKillPod = std::chrono::seconds(10);
constexpr Nanos kSamplePeriod = std::chrono::seconds(10);
constexpr Nanos kDiskAge = std::chrono::seconds(10);  // of what is counted file by file
constexpr auto kGoodbye = std::chrono::seconds(3);    // for calls under way when the daemon ends

void report(const std::string& problem) {
    spdlog::warn("{}", problem);
}

std::string shim_beside_us() {
    char path[4096] = {};
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    const std::string self(path, n > 0 ? static_cast<size_t>(n) : 0);
    return self.substr(0, self.rfind('/') + 1) + "orlop-shim";
}

Status check_machine(Config& config) {
    TRY(check_root_user());
    TRY(check_kernel());
    TRY(prepare_directories(config.paths));
    if (config.shim.empty()) config.shim = shim_beside_us();
    if (access(config.shim.c_str(), X_OK) != 0) {
        return Error::precondition("there is no program " + config.shim +
                                   ": install orlop-shim or use --shim");
    }
    if (config.cgroup_driver.empty())
        config.cgroup_driver = cgroups::systemd_is_running() ? "systemd" : "cgroupfs";
    return claim_socket(config.listen);
}

Result<std::unique_ptr<cgroups::Driver>> make_driver(const std::string& name, const cgroups::Hierarchies& h) {
    if (name == "systemd") return cgroups::make_systemd_driver(h);
    return cgroups::make_cgroupfs_driver(h);
}

Lifecycle::Actions lifecycle_actions(ShimHub& hub, const cgroups::Hierarchies& hierarchies,
                                     const Paths& paths) {
    return {
        .forget = [&hub](const auto& sandbox,
                         const auto& container) { hub.send(sandbox, shim::Forget{.container = container}); },
        .left_exits = [&paths](const auto& sandbox) { return read_exit_files(paths.shim(sandbox)); },
        .kill_pod = [&hierarchies](const SandboxRecord& sandbox) -> Status {
            const cgroups::Cgroup cgroup(hierarchies, sandbox.cgroup_path);
            return sandbox.cgroup_path.empty() || !cgroup.exists() ? ok() : cgroup.kill_all(kKillPod);
        },
        .report = report};
}

// The world outside, as the daemon sees it.
struct Outside {
    cgroups::Hierarchies hierarchies;
    plan::NodeFacts facts;
    std::unique_ptr<cgroups::Driver> driver;
    std::unique_ptr<images::Store> images;
    std::unique_ptr<netns::CniRunner> cni;
    std::unique_ptr<ShimLauncher> launcher;
};

// Filled in place: the driver keeps a reference to the hierarchies.
Status open_outside(const Config& config, Outside& out) {
    out.hierarchies = TRY(cgroups::detect());
    out.facts = TRY(read_node_facts(out.hierarchies, config.pids_limit));
    TRY(read_defaults(config.default_ulimits, config.default_sysctls, out.facts));
    out.driver = TRY(make_driver(config.cgroup_driver, out.hierarchies));
    out.images = TRY(images::Store::open(config.paths.images()));
    probe_mounts(config.paths.images(), out.facts);
    out.cni = netns::make_cni_runner(config.cni);
    out.launcher = make_shim_launcher(config.shim, kShimStart);
    return ok();
}

registry::Settings puller_settings(const Config& config) {
    return {.hosts_dir = config.registry_config_dir,
            .auth_files = config.images.auth_files,
            .policy_file = config.images.policy,
            .layers_at_once = static_cast<size_t>(config.images.layers_at_once),
            .patience = {.stall = std::chrono::seconds(config.images.progress_timeout)}};
}

// Its own timer, again and again: what has no event has to be looked at.
class PeriodicSample {
  public:
    PeriodicSample(EventLoop& loop, Parts& parts, Sampler& sampler)
        : loop_(loop), parts_(parts), sampler_(sampler) {
        next();
    }

  private:
    void next() {
        timer_ = loop_.add_timer_in(kSamplePeriod, [this] {
            sample_cpu(parts_, sampler_);
            next();
        });
    }
    EventLoop& loop_;
    Parts& parts_;
    Sampler& sampler_;
    Watch timer_;
};

// Recovers, then answers clients until the loop is stopped. Pods go on after that.
Status serve_until_stopped(Parts& parts, EventBus& events, const Config& config, EventLoop& loop) {
    TRY(recover(parts, report));
    StreamingBackend backend(parts);
    const auto streams = TRY(streaming::Server::start(config.streaming, backend, parts.clock));
    Sampler sampler(parts.clock, kDiskAge);
    const PeriodicSample samples(loop, parts, sampler);
    RuntimeService runtime_service(parts, events, *streams, sampler, config_json(config));
    registry::Puller puller(parts.images, parts.clock, puller_settings(config));
    ImageService image_service(parts.images, puller, parts.paths, parts.clock, config.images.pinned);
    NodeImages node_images(parts.images, puller);
    const auto server = TRY(start_server(config.listen, {&runtime_service, &image_service, &node_images}));
    spdlog::info("orlop-runtime " ORLOP_VERSION " serves {} ({} sandboxes, cgroup driver {})", config.listen,
                 parts.state.sandboxes->list().size(), parts.driver.name());
    sd_notify(0, "READY=1");
    const Status looped = loop.run();
    sd_notify(0, "STOPPING=1");
    spdlog::info("ends; pods go on");
    events.close();
    auto down = std::async(std::launch::async,
                           [&] { server->Shutdown(std::chrono::system_clock::now() + kGoodbye); });
    if (down.wait_for(2 * kGoodbye) == std::future_status::ready) return looped;
    // A StopContainer may wait for hours, an ExecSync for ever. All state is on disk: they are cut off.
    spdlog::info("calls that go on are cut off");
    std::_Exit(looped ? 0 : 1);
}

Status run(Config config) {
    // TLS connections and the standard input of plugins and helpers may be closed by the other side.
    signal(SIGPIPE, SIG_IGN);
    TRY(check_machine(config));
    // Before the first thread, so that all of them leave these signals to this loop.
    const auto loop = TRY(EventLoop::make());
    const auto end = [&loop] { loop->stop(); };
    const Watch term = TRY(loop->add_signal(SIGTERM, end));
    const Watch interrupt = TRY(loop->add_signal(SIGINT, end));

    const Paths& paths = config.paths;
    const SystemClock clock;
    Outside outside;
    TRY(open_outside(config, outside));
    Networks networks(config.cni.conf_dir, report);
    plan::SeccompCache seccomp;
    State state;
    state.sandboxes = TRY(Sandboxes::open(paths.sandboxes()));
    state.containers = TRY(Containers::open(paths.containers()));
    EventBus events;
    Announcer announcer(state, events, clock);

    // The hub tells the lifecycle, the lifecycle answers through the hub. The pointer is set before the first
    // shim is connected, and the hub's thread ends before what it points to.
    Lifecycle* listener = nullptr;
    const auto hub = TRY(ShimHub::make(
        {.exited = [&listener](const auto& sandbox, const auto& exit) { listener->exited(sandbox, exit); },
         .oom = {},
         .gone = [&listener](const auto& sandbox) { listener->gone(sandbox); }}));
    Lifecycle lifecycle(state, announcer, clock, lifecycle_actions(*hub, outside.hierarchies, paths));
    listener = &lifecycle;
    ShimStopActions stop_actions(state, *hub, outside.hierarchies, lifecycle, clock);
    Stopper stopper(*state.containers, stop_actions);
    Parts parts{.state = state,
                .hub = *hub,
                .launcher = *outside.launcher,
                .cni = *outside.cni,
                .networks = networks,
                .driver = *outside.driver,
                .hierarchies = outside.hierarchies,
                .images = *outside.images,
                .facts = outside.facts,
                .seccomp = seccomp,
                .paths = paths,
                .clock = clock,
                .announcer = announcer,
                .lifecycle = lifecycle,
                .stopper = stopper};
    const Status served = serve_until_stopped(parts, events, config, *loop);
    hub->stop();
    return served;
}

int main_of(int argc, char** argv) {
    // One arena for all threads: they allocate little and rarely, and each arena of their own keeps its peak.
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
    auto line = parse_command_line(argc, argv);
    if (line && line->done) {
        std::fputs(line->output.c_str(), stdout);
        return 0;
    }
    Status logging = line ? setup_logging(line->config.log) : ok();
    if (!line || !logging) {
        const Error& error = line ? logging.error() : line.error();
        std::fprintf(stderr, "orlop-runtime: %s\n", error.what().c_str());
        return 2;
    }
    const Status done = run(std::move(line->config));
    if (done) return 0;
    spdlog::error("{}", done.error().what());
    return 1;
}

}  // namespace
}  // namespace orlop::core

int main(int argc, char** argv) {
    return orlop::core::main_of(argc, argv);
}
