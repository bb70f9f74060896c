#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "runtime/shim/shim.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

extern "C" const char orlop_pause_begin[];
extern "C" const char orlop_pause_end[];

namespace orlop::shim {

namespace {

// A plan is bounded by what an environment and argument list may be (2 MiB, execve(2)) plus mounts and
// layers.
constexpr size_t kMaxPlan = 16u << 20;

template <class Plan>
Result<Plan> read_plan(std::vector<UniqueFd>& fds) {
    if (fds.empty()) return Error::invalid("the plan is missing");
    if (lseek(fds[0].get(), 0, SEEK_SET) != 0) return Error::sys("read the plan");
    const std::string bytes = TRY(read_all(fds[0].get(), kMaxPlan).under("read the plan"));
    return launch::decode<Plan>(bytes).under("the plan");
}

Result<UniqueFd> pause_program() {
    // MFD_EXEC is needed where vm.memfd_noexec=1 is set and unknown before 6.3.
    UniqueFd fd(memfd_create("pause", MFD_CLOEXEC | MFD_EXEC));
    if (!fd && errno == EINVAL) fd = UniqueFd(memfd_create("pause", MFD_CLOEXEC));
    if (!fd) return Error::sys("memfd_create for pause");
    TRY(write_all(fd.get(), std::string_view(orlop_pause_begin,
                                             static_cast<size_t>(orlop_pause_end - orlop_pause_begin))));
    // execve(2) refuses a file that is open for writing (ETXTBSY).
    UniqueFd readable(open(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), O_RDONLY | O_CLOEXEC));
    if (!readable) return Error::sys("reopen pause");
    return readable;
}

Result<UniqueFd> open_namespace(pid_t pid, const char* name) {
    const std::string path = "/proc/" + std::to_string(pid) + "/ns/" + name;
    UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return Error::sys("open " + path);
    return fd;
}

struct Pipe {
    UniqueFd read, write;
};

Result<Pipe> make_pipe() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return Error::sys("pipe2");
    return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

int64_t now_ns() {
    return SystemClock().wall().count();
}

}  // namespace

Shim::Answer Shim::on(const Hello&, Asker, std::vector<UniqueFd>&) {
    Snapshot snapshot{.shim_pid = getpid(), .pause_pid = pause_running_ ? pause_.pid : 0, .containers = {}};
    for (const auto& [id, c] : containers_) {
        if (!c->running && !c->exit) continue;
        snapshot.containers.push_back({id, c->exit ? 0 : c->launching.pid, c->started_at, c->exit});
    }
    return Body(std::move(snapshot));
}

Shim::Answer Shim::on(const CreateSandbox&, Asker asker, std::vector<UniqueFd>& fds) {
    if (pause_.pid > 0) return Error::precondition("the sandbox exists already");
    pause_plan_ = TRY(read_plan<launch::PausePlan>(fds));
    UniqueFd program = TRY(pause_program());
    pause_ = TRY(launch::launch_pause(*pause_plan_, program.get()));
    pause_asker_ = asker;
    pause_report_ = TRY(loop_.add_fd(pause_.report.get(), EPOLLIN, [this](uint32_t) { pause_reported(); }));
    return std::optional<Body>();
}

void Shim::pause_reported() {
    if (!pause_report_) return;
    auto r = launch::finish(pause_);
    if (!r && r.error().kind() == Kind::Unavailable) return;
    pause_report_.reset();
    pause_.report.reset();
    const auto hold = [this]() -> Status {
        if (pause_plan_->pid.from == launch::NsFrom::New)
            namespaces_.pid = TRY(open_namespace(pause_.pid, "pid"));
        if (pause_plan_->ipc.from == launch::NsFrom::New)
            namespaces_.ipc = TRY(open_namespace(pause_.pid, "ipc"));
        if (pause_plan_->uts.from == launch::NsFrom::New)
            namespaces_.uts = TRY(open_namespace(pause_.pid, "uts"));
        if (pause_plan_->user.from != launch::NsFrom::Host)
            namespaces_.user = TRY(open_namespace(pause_.pid, "user"));
        return ok();
    };
    if (r) r = hold();
    pause_plan_.reset();
    if (!r) return answer_error(pause_asker_, std::move(r).error().under("start pause"));
    pause_running_ = true;
    answer(pause_asker_,
           Started{.pid = pause_.pid, .started_at = now_ns(), .uid = 65535, .gid = 65535, .groups = {}});
}

Shim::Answer Shim::on(const StartContainer& request, Asker asker, std::vector<UniqueFd>& fds) {
    const auto plan = TRY(read_plan<launch::LaunchPlan>(fds));
    if (containers_.contains(plan.id))
        return Error::precondition("container " + plan.id + " was started already");
    auto c = std::make_unique<Container>();
    c->id = plan.id;
    c->asker = asker;
    c->cgroup = plan.cgroup;
    c->own_pid_namespace = plan.pid.from == launch::NsFrom::New;
    c->output =
        std::make_unique<Output>(loop_, scratch_, TRY(LogFile::open(request.log_path, request.log_directory)),
                                 [this, id = plan.id](const Error& e) { note(id + ": " + e.what()); });
    Pipe in{};
    Pipe out{};
    Pipe err{};
    if (!plan.process.terminal) {
        out = TRY(make_pipe());
        err = TRY(make_pipe());
        if (request.stdin_open) in = TRY(make_pipe());
    }
    c->launching =
        TRY(launch::launch_container(plan, {in.read.get(), out.write.get(), err.write.get()}, namespaces_));
    c->stdin_open = request.stdin_open;
    c->stdin_once = request.stdin_once;
    if (in.write) c->input = TRY(Input::make(loop_, std::move(in.write), c->stdin_once));
    Container& started = *c;
    const std::string id = plan.id;
    containers_.emplace(id, std::move(c));
    if (!plan.cgroup.path.empty()) {
        auto watch = cgroups::OomWatch::make(loop_, cgroups::Cgroup(hierarchies_, plan.cgroup.path),
                                             [this, id] { oom_seen(*containers_.at(id)); });
        // The kernel's counter is read at exit as well; only the early event is missed without the watch.
        if (watch) started.oom_watch = std::move(watch).value();
        if (!watch) note(id + ": watch for OOM kills: " + watch.error().what());
    }
    if (out.read) TRY(started.output->add_stdout(std::move(out.read)));
    if (err.read) TRY(started.output->add_stderr(std::move(err.read)));
    started.report = TRY(loop_.add_fd(started.launching.report.get(), EPOLLIN,
                                      [this, id](uint32_t) { container_reported(id); }));
    return std::optional<Body>();
}

void Shim::container_reported(const std::string& id) {
    const auto at = containers_.find(id);
    if (at == containers_.end() || !at->second->report) return;
    Container& c = *at->second;
    auto r = launch::finish(c.launching);
    if (!r && r.error().kind() == Kind::Unavailable) return;
    c.report.reset();
    c.launching.report.reset();
    if (r && c.launching.terminal) r = take_terminal(c);
    if (!r) {
        kill(c.launching.pid, SIGKILL);
        const Asker asker = c.asker;
        containers_.erase(at);  // its pid is reaped like any orphan's
        return answer_error(asker, r.error());
    }
    c.running = true;
    c.started_at = now_ns();
    const launch::Identity& who = c.launching.identity;
    answer(c.asker, Started{c.launching.pid, c.started_at, who.uid, who.gid, who.groups});
}

Status Shim::take_terminal(Container& c) {
    const auto again = [&]() -> Result<UniqueFd> {
        UniqueFd fd(fcntl(c.launching.terminal.get(), F_DUPFD_CLOEXEC, 3));
        if (!fd) return Error::sys("dup the terminal");
        return fd;
    };
    c.terminal = TRY(again());
    if (c.stdin_open) c.input = TRY(Input::make(loop_, TRY(again()), false));
    return c.output->add_stdout(std::move(c.launching.terminal));
}

Shim::Answer Shim::on(const Attach& request, Asker, std::vector<UniqueFd>& fds) {
    Container* c = TRY(find(request.container));
    if (!c->running || c->exit) return Error::precondition("container " + c->id + " is not running");
    const size_t wanted = size_t{1} + request.in + request.out + request.err;
    if (fds.size() != wanted)
        return Error::invalid("attach needs " + std::to_string(wanted) + " descriptors");
    size_t next = 1;
    UniqueFd in = request.in ? std::move(fds[next++]) : UniqueFd();
    UniqueFd out = request.out ? std::move(fds[next++]) : UniqueFd();
    UniqueFd err = request.err ? std::move(fds[next++]) : UniqueFd();
    TRY(c->output->clients().add(std::move(fds[0]), std::move(out), std::move(err)));
    // A container without stdin: closing our side tells the client.
    if (in && c->input) TRY(c->input->feed(std::move(in)));
    return Body(Done{});
}

Shim::Answer Shim::on(const Resize& request, Asker, std::vector<UniqueFd>&) {
    Container* c = TRY(find(request.container));
    if (c->exit) return Body(Done{});
    if (!c->terminal) return Error::precondition("container " + c->id + " has no terminal");
    const winsize size{.ws_row = request.height, .ws_col = request.width, .ws_xpixel = 0, .ws_ypixel = 0};
    if (ioctl(c->terminal.get(), TIOCSWINSZ, &size) != 0) return Error::sys("set the terminal's size");
    return Body(Done{});
}

Shim::Answer Shim::on(const Exec& request, Asker asker, std::vector<UniqueFd>& fds) {
    if (fds.size() != 4 && fds.size() != 1)
        return Error::invalid("exec needs a plan, and three descriptors or a terminal");
    if (execs_.contains(request.exec_id)) return Error::precondition("exec " + request.exec_id + " exists");
    Container* c = TRY(find(request.container));
    if (!c->running || c->wait_status || c->exit)
        return Error::precondition("container " + c->id + " is not running");
    const auto plan = TRY(read_plan<launch::ExecPlan>(fds));
    if (plan.process.terminal != (fds.size() == 1))
        return Error::invalid("exec needs three descriptors, or none with a terminal");
    auto exec = std::make_unique<ExecProcess>();
    exec->asker = asker;
    launch::Stdio io;
    if (fds.size() == 4) io = {fds[1].get(), fds[2].get(), fds[3].get()};
    exec->launching = TRY(launch::launch_exec(plan, io, c->launching.pid));
    const std::string id = request.exec_id;
    exec->report =
        TRY(loop_.add_fd(exec->launching.report.get(), EPOLLIN, [this, id](uint32_t) { exec_reported(id); }));
    execs_.emplace(id, std::move(exec));
    return std::optional<Body>();
}

void Shim::exec_reported(const std::string& id) {
    const auto at = execs_.find(id);
    if (at == execs_.end() || !at->second->report) return;
    ExecProcess& exec = *at->second;
    auto r = launch::finish(exec.launching);
    if (!r && r.error().kind() == Kind::Unavailable) return;
    exec.report.reset();
    exec.launching.report.reset();
    if (!r) {
        const Asker asker = exec.asker;
        execs_.erase(at);
        return answer_error(asker, r.error());
    }
    exec.running = true;
    const launch::Identity& who = exec.launching.identity;
    const UniqueFd terminal = std::move(exec.launching.terminal);
    answer(exec.asker, Started{exec.launching.pid, now_ns(), who.uid, who.gid, who.groups}, terminal.get());
}

Shim::Answer Shim::on(const Signal& request, Asker, std::vector<UniqueFd>&) {
    if (!request.exec_id.empty()) {
        const auto at = execs_.find(request.exec_id);
        // An exec leads its own session: its group goes with it.
        if (at != execs_.end()) {
            kill(-at->second->launching.pid, request.signal);
            kill(at->second->launching.pid, request.signal);
        }
        return Body(Done{});
    }
    Container* c = TRY(find(request.container));
    if (c->wait_status || c->exit) return Body(Done{});
    if (kill(c->launching.pid, request.signal) != 0 && errno != ESRCH) return Error::sys("signal " + c->id);
    if (request.everything) kill_rest(*c);
    return Body(Done{});
}

Shim::Answer Shim::on(const ReopenLog& request, Asker, std::vector<UniqueFd>&) {
    Container* c = TRY(find(request.container));
    if (c->exit) return Error::precondition("container " + c->id + " is not running");
    TRY(c->output->reopen_log());
    return Body(Done{});
}

Shim::Answer Shim::on(const Forget& request, Asker, std::vector<UniqueFd>&) {
    const auto at = containers_.find(request.container);
    if (at == containers_.end()) return Body(Done{});
    if (!at->second->exit) return Error::precondition("container " + request.container + " has not ended");
    TRY(TRY(dir_.open_dir("exits")).unlink(request.container));
    containers_.erase(at);
    return Body(Done{});
}

Shim::Answer Shim::on(const Shutdown&, Asker asker, std::vector<UniqueFd>&) {
    for (const auto& [id, c] : containers_) {
        if (!c->exit) return Error::precondition("container " + id + " is still running");
    }
    shutdown_asker_ = asker;
    if (pause_.pid > 0) {
        kill(pause_.pid, SIGKILL);
        return std::optional<Body>();
    }
    loop_.stop();
    return Body(Done{});
}

Result<Container*> Shim::find(const std::string& id) {
    const auto at = containers_.find(id);
    if (at == containers_.end()) return Error::not_found("container " + id + " is not known to its shim");
    return at->second.get();
}

}  // namespace orlop::shim
