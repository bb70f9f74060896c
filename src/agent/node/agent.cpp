#include "agent/node/agent.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>

#include "base/dir.h"
#include "cgroups/systemd/systemd_driver.h"

namespace orlop::agent {

namespace {

// Writers often do several things at once: look when they pause.
constexpr Nanos kSettle = std::chrono::milliseconds(50);
constexpr Nanos kAskAgain = std::chrono::seconds(1);

std::string last_good_dir(const NodeFacts& facts) {
    return facts.paths.own() + "/manifests";
}

kube::Json condition_json(const Condition& c) {
    return {{"ready", c.ready}, {"reason", c.reason}, {"message", c.message}};
}

kube::Json reports_json(const std::vector<ManifestError>& list) {
    kube::Json out = kube::Json::array();
    for (const ManifestError& each : list) out.push_back({{"file", each.file}, {"message", each.message}});
    return out;
}

}  // namespace

Agent::Agent(EventLoop& loop, Options options, const cgroups::Hierarchies& hierarchies, NodeFacts facts)
    : loop_(loop),
      options_(std::move(options)),
      hierarchies_(hierarchies),
      facts_(std::move(facts)),
      store_(options_.node_name, last_good_dir(facts_)),
      folder_(loop, options_.config.static_pod_path, [this] { scan_soon(); }),
      pool_(loop) {}

Agent::~Agent() = default;

Status Agent::start() {
    if (options_.config.healthz_port != 0)
        TRY(http_.listen_tcp(options_.config.healthz_address,
                             static_cast<uint16_t>(options_.config.healthz_port), handler(false)));
    TRY(make_dirs(std::filesystem::path(options_.status_socket).parent_path()));
    TRY(http_.listen_unix(options_.status_socket, handler(true)));
    http_.start();
    const kube::KubeletConfig& c = options_.config;
    cri_.emplace(CriEndpoints{c.runtime_endpoint, c.image_endpoint, c.runtime_timeout.value});
    if (c.cgroup_driver == kube::CgroupDriverName::Unset)
        ask_driver();
    else
        return run_pods(c.cgroup_driver == kube::CgroupDriverName::Systemd);
    return ok();
}

// --- executor ---------------------------------------------------------------------------------------------

void Agent::submit(Lane lane, Job job) {
    pool_.submit(lane, [this, job = std::move(job)]() -> Continuation {
        Continuation next = job();
        return [this, next = std::move(next)] {
            next();
            rearm();
        };
    });
}

void Agent::post(Continuation continuation) {
    pool_.post([this, continuation = std::move(continuation)] {
        continuation();
        rearm();
    });
}

void Agent::rearm() {
    if (!pods_) return;
    const Nanos at = pods_->next_wake();
    if (at == Nanos::max()) return timer_.reset();
    timer_ = loop_.add_timer(at, [this] {
        pods_->tick();
        rearm();
    });
}

// --- start ------------------------------------------------------------------------------------------------

// Pods can only be placed once it is known who makes their cgroups.
void Agent::ask_driver() {
    submit(Lane::Calls, [this] {
        auto driver = cri_->calls().runtime.cgroup_driver();
        return [this, driver = std::move(driver)] {
            if (driver || driver.error().kind() == Kind::Unimplemented) {
                const bool systemd = driver && *driver == cri::SYSTEMD;
                if (auto run = run_pods(systemd); !run)
                    spdlog::error("{}", run.error().what());
                else
                    return;
            } else if (waiting_.message != driver.error().what()) {
                waiting_ = {false, "RuntimeUnavailable", driver.error().what()};
                spdlog::warn("runtime {}: {}", options_.config.runtime_endpoint, waiting_.message);
            }
            timer_ = loop_.add_timer_in(kAskAgain, [this] { ask_driver(); });
        };
    });
}

Status Agent::run_pods(bool systemd) {
    facts_.systemd_cgroups = systemd;
    std::unique_ptr<cgroups::Driver> driver;
    if (facts_.cgroups_per_qos)
        driver = systemd ? TRY(cgroups::make_systemd_driver(hierarchies_))
                         : cgroups::make_cgroupfs_driver(hierarchies_);
    cgroups_.emplace(std::move(driver), facts_);
    TRY(cgroups_->prepare().under("kubepods cgroup"));
    spdlog::info("cgroup driver {}", systemd ? "systemd" : "cgroupfs");
    ManagerSettings settings;
    settings.max_backoff = options_.config.crash_loop.max_restart_period.value;
    settings.admission = {options_.config.max_pods, options_.config.allowed_unsafe_sysctls};
    pods_.emplace(clock_, static_cast<Executor&>(*this), Hands{cri_->calls(), *cgroups_, facts_}, settings);
    listener_.emplace(
        cri_->calls().runtime, static_cast<Executor&>(*this),
        [this](const std::string& uid) { pods_->pod_changed(uid); },
        [this](EventStream state) { pods_->event_stream(state); });
    if (options_.config.static_pod_path.empty()) {
        pods_->set_desired({});
    } else {
        folder_.arm();
        scan();
    }
    pods_->tick();
    rearm();
    return ok();
}

// --- manifests --------------------------------------------------------------------------------------------

void Agent::scan_soon() {
    scan_timer_ = loop_.add_timer_in(kSettle, [this] { scan(); });
}

void Agent::scan() {
    if (scanning_) {
        scan_again_ = true;
        return;
    }
    scanning_ = true;
    // Armed before the reading: what changes during it is read again.
    folder_.arm();
    check_timer_ = loop_.add_timer_in(options_.config.file_check_frequency.value, [this] { scan(); });
    submit(Lane::Calls, [this, path = options_.config.static_pod_path, known = store_.known()] {
        auto result =
            std::make_shared<Result<std::map<std::string, ScannedFile>>>(scan_manifests(path, known));
        return [this, result] { scanned(std::move(*result)); };
    });
}

void Agent::scanned(Result<std::map<std::string, ScannedFile>> result) {
    scanning_ = false;
    if (store_.take(std::move(result), options_.config.static_pod_path, clock_.wall()))
        pods_->set_desired(store_.desired());
    log_reports();
    if (std::exchange(scan_again_, false)) scan_soon();
}

// Each report once, and once more when it is cured.
void Agent::log_reports() {
    std::vector<ManifestError> now = store_.errors();
    for (const ManifestError& each : now) {
        if (std::find(logged_.begin(), logged_.end(), each) == logged_.end())
            spdlog::error("manifest {}: {}", each.file, each.message);
    }
    for (const ManifestError& each : logged_) {
        const auto same = [&](const ManifestError& other) { return other.file == each.file; };
        if (std::none_of(now.begin(), now.end(), same)) spdlog::info("manifest {}: is fine again", each.file);
    }
    logged_ = std::move(now);
}

// --- reports ----------------------------------------------------------------------------------------------

HttpHandler Agent::handler(bool everything) {
    return [this, everything](const std::string& path, std::function<void(HttpAnswer)> reply) {
        // Answered by the loop: that it answers is what health means.
        loop_.post([this, everything, path, reply = std::move(reply)] { reply(answer(path, everything)); });
    };
}

HttpAnswer Agent::answer(const std::string& path, bool everything) {
    if (path == "/healthz") return {200, "text/plain; charset=utf-8", "ok"};
    if (everything && path == "/status") return {200, "application/json", status().dump() + "\n"};
    if (everything && path == "/pods") {
        const kube::Json none = {{"kind", "PodList"}, {"apiVersion", "v1"}, {"items", kube::Json::array()}};
        return {
            200, "application/json",
            (pods_ ? pods_->pods() : none).dump(-1, ' ', false, kube::Json::error_handler_t::replace) + "\n"};
    }
    return {404, "text/plain; charset=utf-8", "not found\n"};
}

kube::Json Agent::status() const {
    kube::Json warnings = kube::Json::array();
    for (const std::string& each : options_.warnings) warnings.push_back(each);
    for (const ManifestError& each : store_.warnings()) warnings.push_back(each.file + ": " + each.message);
    kube::Json runtime = condition_json(pods_ ? pods_->runtime() : waiting_);
    runtime["endpoint"] = options_.config.runtime_endpoint;
    runtime["name"] = pods_ ? pods_->runtime_name() : "";
    runtime["version"] = pods_ ? pods_->runtime_version() : "";
    return {{"nodeName", facts_.node_name},
            {"hostIP", facts_.host_ip},
            {"version", ORLOP_VERSION},
            {"cgroupDriver", !pods_                   ? ""
                             : facts_.systemd_cgroups ? "systemd"
                                                      : "cgroupfs"},
            {"cgroupVersion", facts_.unified_cgroups ? 2 : 1},
            {"runtime", runtime},
            {"network", condition_json(pods_ ? pods_->network() : waiting_)},
            {"manifestPath", options_.config.static_pod_path},
            {"manifestErrors", reports_json(store_.errors())},
            {"warnings", warnings},
            {"pods", pods_ ? pods_->size() : 0}};
}

}  // namespace orlop::agent
