#include "runtime/core/cri/handlers.h"
#include "runtime/core/error_map.h"

namespace orlop::core {

namespace {

Result<Containers::Ptr> running_container(const Parts& parts, const std::string& id) {
    auto container = TRY(parts.state.containers->resolve(id));
    if (container->phase != ContainerPhase::Running)
        return Error::precondition("container " + container->id + " does not run");
    return container;
}

}  // namespace

Result<std::string> exec_url(Parts& parts, streaming::Server& server, const cri::ExecRequest& request) {
    if (request.cmd_size() == 0) return Error::invalid("cmd is empty");
    const auto container = TRY(running_container(parts, request.container_id()));
    return inner(server.url(streaming::ExecRequest{.container = container->id,
                                                   .command = {request.cmd().begin(), request.cmd().end()},
                                                   .tty = request.tty(),
                                                   .in = request.stdin(),
                                                   .out = request.stdout(),
                                                   .err = request.stderr()}));
}

Result<std::string> attach_url(Parts& parts, streaming::Server& server, const cri::AttachRequest& request) {
    const auto container = TRY(running_container(parts, request.container_id()));
    return inner(server.url(streaming::AttachRequest{.container = container->id,
                                                     .tty = request.tty(),
                                                     .in = request.stdin(),
                                                     .out = request.stdout(),
                                                     .err = request.stderr()}));
}

Result<std::string> port_forward_url(Parts& parts, streaming::Server& server,
                                     const cri::PortForwardRequest& request) {
    const auto sandbox = TRY(parts.state.sandboxes->resolve(request.pod_sandbox_id()));
    if (sandbox->phase != SandboxPhase::Ready)
        return Error::precondition("sandbox " + sandbox->id + " is not ready");
    return inner(server.url(streaming::PortForwardRequest{.sandbox = sandbox->id}));
}

}  // namespace orlop::core
