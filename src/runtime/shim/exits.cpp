#include <signal.h>

#include "runtime/shim/shim.h"

namespace orlop::shim {

namespace {

// What may still hold a dead container's output: something that left its cgroup. It gets this long.
constexpr Millis kDrainLimit{2000};

}  // namespace

void Shim::kill_rest(const Container& container) {
    if (container.cgroup.path.empty()) return;
    auto r = cgroups::Cgroup(hierarchies_, container.cgroup.path).kill_all(Nanos(0));
    // TimedOut: the signals are sent, their effect is not waited for here.
    if (!r && r.error().kind() != Kind::TimedOut) note(container.id + ": " + r.error().what());
}

void Shim::oom_seen(Container& container) {
    if (container.oom) return;
    container.oom = true;
    broadcast(Oom{container.id});
}

// The end is told without waiting for those who still read.
void Shim::finish_clients(Container& c) {
    const auto at = leaving_.insert(leaving_.end(), c.output->take_clients());
    (*at)->finish([this, at] { loop_.post([this, at] { leaving_.erase(at); }); });
}

void Shim::container_ended(Container& c) {
    c.finished_at = SystemClock().wall().count();
    if (!c.cgroup.path.empty()) {
        const auto kills = cgroups::Cgroup(hierarchies_, c.cgroup.path).oom_kills();
        if (kills && *kills > 0) oom_seen(c);
    }
    // pid_namespaces(7): with its own namespace the kernel has killed the rest; otherwise we must.
    if (!c.own_pid_namespace) kill_rest(c);
    const std::string id = c.id;
    c.drain_limit = loop_.add_timer_in(kDrainLimit, [this, id] { containers_.at(id)->output->end_now(); });
    c.output->when_ended([this, id] { loop_.post([this, id] { container_drained(id); }); });
}

void Shim::container_drained(const std::string& id) {
    const auto at = containers_.find(id);
    if (at == containers_.end() || at->second->exit) return;
    Container& c = *at->second;
    c.drain_limit.reset();
    c.oom_watch.reset();
    c.input.reset();
    c.terminal.reset();
    finish_clients(c);
    c.output.reset();
    c.running = false;
    c.exit = Exit{id, *c.wait_status, c.oom, c.started_at, c.finished_at};
    const auto record = [&]() -> Status {
        return TRY(dir_.open_dir("exits")).write_atomic(id, exit_record(*c.exit));
    };
    // Without the record the exit is still held in memory and told; only our own death could lose it.
    if (auto r = record(); !r) note("exit of " + id + ": " + r.error().what());
    broadcast(Exited{*c.exit});
}

}  // namespace orlop::shim
