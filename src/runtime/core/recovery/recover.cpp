#include "runtime/core/recovery/recover.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "netns/netns.h"
#include "runtime/core/cri/handlers.h"
#include "runtime/core/cri/tear_down.h"
#include "runtime/core/recovery/decide.h"
#include "runtime/core/recovery/stray_cgroups.h"
#include "runtime/core/shims/exit_files.h"

namespace orlop::core {

namespace {

using Report = std::function<void(const std::string&)>;

// Long: a shim that is slow under pressure must not cost its pod the life.
constexpr Nanos kHello = std::chrono::seconds(15);
constexpr Nanos kKill = std::chrono::seconds(10);

void tell(const Report& report, const Status& status, const std::string& whom) {
    if (!status) report(whom + ": " + status.error().what());
}

// Where a sandbox's directory says its network namespace is; "" if it does not say or points elsewhere.
std::string linked_netns(const Paths& paths, const std::string& directory) {
    char target[4096] = {};
    const ssize_t n = readlink((directory + "/netns").c_str(), target, sizeof target - 1);
    const std::string path(target, n > 0 ? static_cast<size_t>(n) : 0);
    return path.starts_with(paths.netns_dir + "/") ? path : "";
}

// What is left of a sandbox without a record: its address, if CNI's cache still knows it, and its namespace.
Status release_network(Parts& parts, const std::string& sandbox, const std::string& netns) {
    const auto cached = TRY(parts.cni.cached_containers());
    if (std::find(cached.begin(), cached.end(), sandbox) != cached.end()) {
        TRY(parts.cni.del(std::nullopt, netns::Attachment{.container_id = sandbox, .netns = netns}));
    }
    return netns.empty() ? ok() : netns::remove(netns);
}

// Kept for people to look at, out of the way of everything else.
Status move_to_broken(const Paths& paths, const std::string& from, const std::string& name) {
    const Dir broken = TRY(Dir::open(paths.broken()));
    TRY(broken.remove_tree(name));
    const std::string to = paths.broken() + "/" + name;
    if (rename(from.c_str(), to.c_str()) != 0) return Error::sys("rename " + from + " to " + to);
    return ok();
}

// The ids of those without a record: their processes and cgroups have no other trace.
Result<std::vector<std::string>> load_sandboxes(Parts& parts, const Report& report) {
    std::vector<std::string> unknown;
    for (const Leftover& left : TRY(parts.state.sandboxes->load())) {
        const std::string netns = linked_netns(parts.paths, parts.paths.sandbox(left.name));
        tell(report, release_network(parts, left.name, netns), "network of sandbox " + left.name);
        if (HexIdRule::check(left.name)) unknown.push_back(left.name);
        if (left.reason.empty()) {
            tell(report, parts.state.sandboxes->discard(left.name), "half made sandbox " + left.name);
            continue;
        }
        report("sandbox " + left.name + " is broken and moved to " + parts.paths.broken() + ": " +
               left.reason);
        tell(report, move_to_broken(parts.paths, parts.paths.sandbox(left.name), left.name), left.name);
    }
    for (const auto& record : parts.state.sandboxes->list()) {
        parts.state.names.add(unique_name(record->config.metadata()), record->id);
    }
    return unknown;
}

Status load_containers(Parts& parts, const Report& report) {
    for (const Leftover& left : TRY(parts.state.containers->load())) {
        if (left.reason.empty()) {
            tell(report, parts.state.containers->discard(left.name), "half made container " + left.name);
            continue;
        }
        report("container " + left.name + " is broken and moved to " + parts.paths.broken() + ": " +
               left.reason);
        tell(report, move_to_broken(parts.paths, parts.paths.container(left.name), left.name), left.name);
    }
    for (const auto& record : parts.state.containers->list()) {
        parts.state.names.add(unique_name(record->sandbox, record->config.metadata()), record->id);
    }
    return ok();
}

void meet_shim(Parts& parts, const std::string& sandbox, Found& found, const Report& report) {
    auto snapshot = parts.hub.connect(sandbox, parts.paths.shim_socket(sandbox), kHello);
    if (snapshot) {
        found.shims[sandbox] = std::move(*snapshot);
    } else if (snapshot.error().errnum() != ENOENT && snapshot.error().errnum() != ECONNREFUSED) {
        report("sandbox " + sandbox + ": " + snapshot.error().what());
    }
    // Also of live shims: the snapshot is taken later, so what is in both is the same.
    for (shim::Exit& exit : read_exit_files(parts.paths.shim(sandbox))) {
        const std::string container = exit.container;
        found.exit_files.emplace(container, std::move(exit));
    }
}

Result<Found> look(Parts& parts, const Report& report) {
    Found found;
    for (const auto& record : parts.state.sandboxes->list()) {
        found.sandboxes.push_back(*record);
        if (!record->torn_down) meet_shim(parts, record->id, found, report);
        if (!record->netns.empty() && !netns::alive(record->netns)) found.lost_netns.insert(record->id);
    }
    for (const auto& record : parts.state.containers->list()) found.containers.push_back(*record);
    const Dir shims = TRY(Dir::open(parts.paths.shims()));
    for (const std::string& name : TRY(shims.list())) found.shim_directories.insert(name);
    found.pin_owners = TRY(parts.images.pin_owners());
    return found;
}

// Its containers are unknown: they are killed with it.
Status end_orphan(Parts& parts, const std::string& sandbox) {
    int32_t pid = 0;
    if (auto hello = parts.hub.connect(sandbox, parts.paths.shim_socket(sandbox), kHello)) {
        pid = hello->shim_pid;
        for (const auto& container : hello->containers) {
            if (container.exit) continue;
            (void)parts.hub.call(
                sandbox, shim::Signal{.container = container.id, .signal = SIGKILL, .everything = true}, {},
                kKill);
        }
    }
    TRY(end_shim(parts.hub, parts.paths, sandbox, pid));
    if (HexIdRule::check(sandbox)) TRY(parts.driver.remove_pod("", sandbox));
    return TRY(Dir::open(parts.paths.shims())).remove_tree(sandbox);
}

Status undo(Parts& parts, const std::string& id) {
    const auto record = parts.state.sandboxes->get(id);
    if (!record) return ok();
    const Status undone = tear_down(parts, *record);
    if (!undone) {
        // As a failed RunPodSandbox leaves it: Stop and Remove try again.
        TRY(parts.state.sandboxes->update(id, [](SandboxRecord r) {
            r.phase = SandboxPhase::NotReady;
            return r;
        }));
        return undone;
    }
    parts.state.names.release(unique_name(record->config.metadata()), id);
    return parts.state.sandboxes->erase(id);
}

Status kill_and_mark(Parts& parts, const std::string& id) {
    const auto record = parts.state.sandboxes->get(id);
    if (!record) return ok();
    Status killed = ok();
    if (!record->cgroup_path.empty()) {
        const cgroups::Cgroup cgroup = parts.cgroup_of(*record);
        if (cgroup.exists()) killed = cgroup.kill_all(kKill);
    }
    TRY(parts.state.sandboxes->update(id, [](SandboxRecord r) {
        r.phase = SandboxPhase::NotReady;
        return r;
    }));
    return killed;
}

Status take_over(Parts& parts, const ContainerRecord& decided) {
    TRY(parts.state.containers->update(decided.id, [&](const ContainerRecord& now) {
        // An exit may have come in since the shim was asked.
        return now.phase == ContainerPhase::Exited ? now : decided;
    }));
    return ok();
}

void apply_to_containers(Parts& parts, const Decisions& decisions, const Report& report) {
    for (const auto& record : decisions.changed)
        tell(report, take_over(parts, record), "container " + record.id);
    for (const auto& [sandbox, container] : decisions.forget) {
        parts.hub.send(sandbox, shim::Forget{.container = container});
    }
    for (const auto& [sandbox, container] : decisions.kill_container) {
        report("container " + container + " of sandbox " + sandbox + " has no record and is killed");
        parts.hub.send(sandbox, shim::Signal{.container = container, .signal = SIGKILL, .everything = true});
    }
    for (const std::string& id : decisions.drop) {
        report("container " + id + " has no sandbox and is removed");
        if (const auto record = parts.state.containers->get(id)) {
            parts.state.names.release(unique_name(record->sandbox, record->config.metadata()), id);
        }
        tell(report, parts.state.containers->erase(id), "container " + id);
    }
    for (const std::string& owner : decisions.unpin) {
        tell(report, parts.images.unpin_layers(owner), "layers of " + owner);
    }
}

// What the state directory and the cgroups have of sandboxes without a record.
Status clean_strays(Parts& parts, const std::vector<std::string>& unknown, const Report& report) {
    for (const std::string& id : TRY(TRY(Dir::open(parts.paths.volatile_sandboxes())).list())) {
        if (parts.state.sandboxes->get(id)) continue;
        tell(report, release_shm(parts.paths, id), "shm of unknown sandbox " + id);
    }
    for (const std::string& id : unknown)
        tell(report, parts.driver.remove_pod("", id), "cgroup of sandbox " + id);
    for (const std::string& id : stray_pods(parts.driver, parts.hierarchies, parts.state, parts.paths)) {
        report("cgroup of unknown sandbox " + id + " is removed");
        tell(report, parts.driver.remove_pod("", id), "cgroup of sandbox " + id);
    }
    return ok();
}

}  // namespace

Status recover(Parts& parts, const Report& report) {
    const std::vector<std::string> unknown = TRY(load_sandboxes(parts, report));
    TRY(load_containers(parts, report));
    const Found found = TRY(look(parts, report));
    const Decisions decisions = decide(found, parts.clock.wall().count());
    apply_to_containers(parts, decisions, report);
    for (const std::string& id : decisions.undo) {
        report("sandbox " + id + " was half made and is undone");
        tell(report, undo(parts, id), "undo sandbox " + id);
    }
    for (const std::string& id : decisions.kill) {
        report("sandbox " + id + " lost its shim or its network and is not ready any more");
        tell(report, kill_and_mark(parts, id), "sandbox " + id);
    }
    for (const std::string& id : decisions.orphan_shims) {
        report("shim " + id + " has no sandbox and is ended");
        tell(report, end_orphan(parts, id), "shim " + id);
    }
    return clean_strays(parts, unknown, report);
}

}  // namespace orlop::core
