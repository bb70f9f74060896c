#include "runtime/core/cri/exec_process.h"

#include <fcntl.h>
#include <signal.h>

#include "runtime/core/cri/handlers.h"
#include "runtime/core/error_map.h"

namespace orlop::core {

namespace {

constexpr Nanos kStart = std::chrono::seconds(60);

Status or_null(UniqueFd& fd) {
    if (fd) return ok();
    fd.reset(open("/dev/null", O_RDWR | O_CLOEXEC));
    return fd ? ok() : Status(Error::sys("open /dev/null"));
}

}  // namespace

Result<std::unique_ptr<ExecProcess>> ExecProcess::start(Parts& parts, const ContainerRecord& container,
                                                        const ExecCommand& command, ExecStreams streams) {
    if (container.phase != ContainerPhase::Running)
        return Error::precondition("container " + container.id + " does not run");
    const std::string id = random_uuid();
    auto end = TRY(inner(parts.hub.expect_exec(container.sandbox, id)));
    auto exec = std::unique_ptr<ExecProcess>(new ExecProcess(parts, container, id, std::move(end)));
    TRY(inner(exec->launch(container, command, std::move(streams))));
    return exec;
}

ExecProcess::~ExecProcess() {
    parts_.hub.forget_exec(sandbox_, id_);
}

Status ExecProcess::launch(const ContainerRecord& container, const ExecCommand& command,
                           ExecStreams streams) {
    launch::LaunchPlan around = TRY(load_plan(*parts_.state.containers, container.id));
    const auto sandbox = TRY(parts_.state.sandboxes->resolve(sandbox_));
    around.cgroup = join_of(parts_.cgroup_of(*sandbox, container.id));
    launch::ExecPlan plan = plan::plan_exec(around, command.argv, command.terminal);
    plan.cgroup = around.cgroup;
    cgroup_.emplace(TRY(ExecCgroup::make(plan.cgroup, id_)));

    std::vector<UniqueFd> fds;
    fds.push_back(TRY(shim::bytes_to_memfd("exec-plan", launch::encode(plan))));
    if (!command.terminal) {
        for (UniqueFd* fd : {&streams.in, &streams.out, &streams.err}) {
            TRY(or_null(*fd));
            fds.push_back(std::move(*fd));
        }
    }
    ShimReply reply = TRY(parts_.hub.exchange(sandbox_, shim::Exec{.container = container.id, .exec_id = id_},
                                              std::move(fds), kStart));
    if (!command.terminal) return ok();
    if (reply.fds.size() != 1) return Error::failed("the shim gave no terminal");
    terminal_ = std::move(reply.fds.front());
    return ok();
}

Status ExecProcess::kill(Nanos timeout) const {
    auto asked = parts_.hub.call(
        sandbox_, shim::Signal{.exec_id = id_, .signal = SIGKILL, .everything = true}, {}, timeout);
    Status killed = cgroup_->kill(timeout);
    // NotFound: it ended just now.
    if (asked || asked.error().kind() == Kind::NotFound) return killed;
    Error error = std::move(asked).error();
    return killed ? std::move(error) : std::move(error).also(killed.error());
}

void ExecProcess::kill_soon() const {
    parts_.hub.send(sandbox_, shim::Signal{.exec_id = id_, .signal = SIGKILL, .everything = true});
    // TimedOut: the signals are sent. Whatever else is wrong, the container's own end takes the rest along.
    (void)cgroup_->kill(Nanos(0));
}

}  // namespace orlop::core
