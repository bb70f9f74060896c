#include <google/protobuf/util/message_differencer.h>
#include <unistd.h>

#include <future>

#include "base/fault.h"
#include "netns/netns.h"
#include "runtime/core/cri/handlers.h"
#include "runtime/core/cri/sandbox_files.h"
#include "runtime/core/cri/status.h"
#include "runtime/core/cri/tear_down.h"
#include "runtime/core/error_map.h"

namespace orlop::core {

namespace {

constexpr Nanos kConnect = std::chrono::seconds(10);
constexpr Nanos kPause = std::chrono::seconds(20);

// The name is taken: by the very thing that a lost call made, which is then the answer, or by another.
Result<std::string> existing_sandbox(const State& state, const std::string& id,
                                     const cri::PodSandboxConfig& wanted) {
    const Sandboxes::Ptr record = state.sandboxes->get(id);
    if (record && record->phase == SandboxPhase::Ready && state.containers_of(id).empty() &&
        google::protobuf::util::MessageDifferencer::Equals(record->config, wanted)) {
        return id;
    }
    return Error(Kind::Exists, unique_name(wanted.metadata()) + " exists already with id " + id +
                                   ": remove it, or use another attempt number");
}

struct Making {
    Parts& parts;
    Names::Claim& claim;
    SandboxRecord record;
    std::optional<netns::NetworkConfig> network;
};

// What a record that cannot be read any more still tells (paths.h): a symlink is there whole or not at all.
Status link_netns(const Dir& sandbox, const std::string& netns) {
    if (symlinkat(netns.c_str(), sandbox.fd(), "netns") != 0) return Error::sys("symlink to " + netns);
    return ok();
}

// The record is on disk before anything outside of it is made, but for the namespace that it names.
Status record_first(Making& m) {
    const Dir dir = TRY(m.parts.state.sandboxes->make_directory(m.record.id));
    if (!m.network) return m.parts.state.sandboxes->insert(m.record);
    m.claim.stage("network namespace");
    netns::NetnsOptions options{.dir = m.parts.paths.netns_dir, .name = netns::new_name()};
    for (const auto& [key, value] : m.record.config.linux().sysctls()) {
        if (key.starts_with("net.")) options.sysctls.emplace_back(key, value);
    }
    if (const auto user = TRY(plan::user_namespace(m.record.config))) {
        const auto range = [](const launch::IdMap& map) {
            return netns::IdRange{map.inside, map.outside, map.size};
        };
        options.uids = range(user->uids);
        options.gids = range(user->gids);
    }
    // Before the namespace: whatever is interrupted from here on, the link finds it again.
    TRY(link_netns(dir, options.dir + "/" + options.name));
    m.record.netns = TRY(netns::create(options));
    m.record.attached = true;
    m.claim.stage("record");
    Status recorded = m.parts.state.sandboxes->insert(m.record);
    if (recorded) return recorded;
    if (auto r = netns::remove(m.record.netns); !r) return std::move(recorded).error().also(r.error());
    return recorded;
}

// Shim, cgroup, pause: in this order, because each is put into the one before.
Status start_shim(Making& m) {
    const std::string& id = m.record.id;
    const auto& config = m.record.config;
    m.claim.stage("shim");
    TRY(m.parts.launcher.launch(m.parts.paths.shim(id), id));
    const shim::Snapshot hello = TRY(m.parts.hub.connect(id, m.parts.paths.shim_socket(id), kConnect));
    m.record.shim_pid = hello.shim_pid;
    m.claim.stage("cgroup");
    const cgroups::Cgroup cgroup =
        TRY(m.parts.driver
                .create_pod(
                    {.parent = config.linux().cgroup_parent(), .sandbox_id = id, .pids = {hello.shim_pid}})
                .under("pod cgroup"));
    m.record.cgroup_path = cgroup.path();
    m.claim.stage("pause");
    launch::PausePlan plan = TRY(plan::plan_pause(id, config, m.record.netns, m.parts.facts));
    plan.cgroup = join_of(cgroup.child("shim"));
    std::vector<UniqueFd> fds;
    fds.push_back(TRY(shim::bytes_to_memfd("pause-plan", launch::encode(plan))));
    const shim::Body reply =
        TRY(m.parts.hub.call(id, shim::CreateSandbox{}, std::move(fds), kPause).under("start pause"));
    if (const auto* started = std::get_if<shim::Started>(&reply)) m.record.pause_pid = started->pid;
    m.claim.stage("shm");
    return mount_shm(m.parts.paths, m.record);
}

// Networking and the shim take about as long: side by side.
Status make_all(Making& m) {
    std::future<Result<netns::CniResult>> attaching;
    if (m.network) {
        attaching = std::async(std::launch::async, [&parts = m.parts, network = *m.network,
                                                    attachment = attachment_of(m.record)] {
            return parts.cni.add(network, attachment);
        });
    }
    const Status shim = start_shim(m);
    if (attaching.valid()) {
        m.claim.stage("pod network");
        auto attached = attaching.get();
        if (!attached) {
            Error error = std::move(attached).error().under("pod network");
            return shim ? std::move(error) : std::move(error).also(shim.error());
        }
        m.record.ips = attached->ips;
        m.record.cni_result = attached->json;
    }
    TRY(shim);
    m.claim.stage("files");
    return write_sandbox_files(m.parts.paths, m.record);
}

// All of it is taken back; if that fails the record stays, NOTREADY, so that Stop and Remove can try again.
Error roll_back(Making& m, Error error) {
    Status undone = tear_down(m.parts, m.record);
    if (undone) undone = m.parts.state.sandboxes->erase(m.record.id);
    if (undone) return error;
    m.record.phase = SandboxPhase::NotReady;
    auto kept = m.parts.state.sandboxes->update(m.record.id, [&](const SandboxRecord&) { return m.record; });
    if (kept) m.claim.keep();
    return std::move(error).also(std::move(undone).error().under("roll back"));
}

}  // namespace

Result<std::string> run_sandbox(Parts& parts, const cri::RunPodSandboxRequest& request, Nanos wait) {
    const auto& config = request.config();
    if (!is_handler(request.runtime_handler())) {
        return Error::invalid("runtime_handler \"" + request.runtime_handler() +
                              "\" is unknown: there is \"orlop\", which is also the default, \"\"");
    }
    TRY(inner(plan::check_sandbox(config)));
    const std::string id = random_hex_id();
    Names::Outcome name = TRY(parts.state.names.claim(unique_name(config.metadata()), id, wait));
    if (!name.claim) return existing_sandbox(parts.state, name.existing, config);

    Making m{.parts = parts, .claim = *name.claim, .record = {}, .network = std::nullopt};
    m.record.id = id;
    m.record.config = config;
    m.record.handler = request.runtime_handler();
    m.record.created_at = parts.clock.wall().count();
    if (!host_network(config)) m.network = TRY(parts.networks.current());
    PodLocks::Guard pod = TRY(parts.state.pods.acquire(id, wait));
    if (auto recorded = record_first(m); !recorded) {
        Status discarded = parts.state.sandboxes->discard(id);
        Error error = not_of_the_object(std::move(recorded).error());
        return discarded ? error : std::move(error).also(discarded.error());
    }
    if (auto made = make_all(m); !made) return not_of_the_object(roll_back(m, std::move(made).error()));
    m.record.phase = SandboxPhase::Ready;
    auto ready = parts.state.sandboxes->update(id, [&](const SandboxRecord&) { return m.record; });
    if (!ready) return not_of_the_object(roll_back(m, std::move(ready).error()));
    fault_point("sandbox ready");
    m.claim.keep();
    parts.announcer.announce(cri::CONTAINER_CREATED_EVENT, id, id);
    parts.announcer.announce(cri::CONTAINER_STARTED_EVENT, id, id);
    return id;
}

}  // namespace orlop::core
