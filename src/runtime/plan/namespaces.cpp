#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

using launch::Namespace;
using launch::NsFrom;

const cri::NamespaceOption& sandbox_options(const cri::PodSandboxConfig& config) {
    return config.linux().security_context().namespace_options();
}

std::string mode_name(cri::NamespaceMode mode) {
    return cri::NamespaceMode_IsValid(mode) ? cri::NamespaceMode_Name(mode) : std::to_string(mode);
}

constexpr std::string_view kOptions = "linux.security_context.namespace_options.";

Error wrong_mode(std::string_view field, cri::NamespaceMode mode, std::string_view why) {
    return Error::invalid(std::string(kOptions).append(field) + ": " + mode_name(mode) + ": " +
                          std::string(why));
}

Status check_pod_or_node(std::string_view field, cri::NamespaceMode mode) {
    if (mode == cri::POD || mode == cri::NODE) return ok();
    return wrong_mode(field, mode, "only POD and NODE are possible");
}

// What belongs to the host is not to be had in a user namespace of one's own: no procfs of the host's
// processes, no message queues of the host.
Status check_user_namespace(const cri::NamespaceOption& options) {
    if (!TRY(read_user_namespace(options))) return ok();
    if (options.pid() == cri::NODE || options.ipc() == cri::NODE) {
        return wrong_mode("userns_options.mode", options.userns_options().mode(),
                          "not together with the host's pid or ipc namespace");
    }
    return ok();
}

// It is the pod's: a container may repeat it or say nothing.
Status plan_user(const ContainerRequest& request, const NodeFacts& facts, launch::LaunchPlan& plan) {
    const auto& own = request.config.linux().security_context().namespace_options();
    const std::optional<UserMaps> pod = TRY(user_namespace(request.sandbox));
    if (own.has_userns_options() && TRY(read_user_namespace(own)) != pod) {
        return Error::invalid(std::string(kOptions) + "userns_options: not those of the pod");
    }
    if (!pod) return ok();
    if (!facts.user_namespaces) {
        return Error::unimplemented(std::string(kOptions) +
                                    "userns_options.mode: POD: this kernel has no user namespaces with "
                                    "id-mapped layers (Linux 5.19)");
    }
    plan.user = {NsFrom::Sandbox, ""};
    plan.uid_map = {pod->uids};
    plan.gid_map = {pod->gids};
    return ok();
}

// The pod's network and IPC namespaces are settled when the sandbox is made: a container cannot leave them.
Status check_shared(std::string_view field, cri::NamespaceMode container, cri::NamespaceMode pod) {
    TRY(check_pod_or_node(field, container));
    if (container == cri::NODE && pod != cri::NODE) {
        return wrong_mode(field, container, "the pod has a namespace of its own");
    }
    return ok();
}

Result<Namespace> pid_namespace(cri::NamespaceMode container, cri::NamespaceMode pod) {
    switch (container) {
        case cri::CONTAINER:
            return Namespace{NsFrom::New, ""};
        case cri::NODE:
            if (pod != cri::NODE)
                return wrong_mode("pid", container, "the pod is not in the host's namespace");
            return Namespace{NsFrom::Host, ""};
        case cri::POD:
            // POD is also what a client says that says nothing (proto3): the pod's own mode counts.
            if (pod == cri::CONTAINER) return Namespace{NsFrom::New, ""};
            return Namespace{pod == cri::NODE ? NsFrom::Host : NsFrom::Sandbox, ""};
        case cri::TARGET:
            return Namespace{NsFrom::Path, ""};
        default:
            return wrong_mode("pid", container, "unknown mode");
    }
}

}  // namespace

bool host_network(const cri::PodSandboxConfig& config) {
    return sandbox_options(config).network() == cri::NODE;
}

bool host_ipc(const cri::PodSandboxConfig& config) {
    return sandbox_options(config).ipc() == cri::NODE;
}

Status check_sandbox_namespaces(const cri::NamespaceOption& options) {
    TRY(check_pod_or_node("network", options.network()));
    TRY(check_pod_or_node("ipc", options.ipc()));
    if (options.pid() == cri::TARGET || !cri::NamespaceMode_IsValid(options.pid())) {
        return wrong_mode("pid", options.pid(), "a pod has no target");
    }
    return check_user_namespace(options);
}

std::string pid_target(const cri::ContainerConfig& config) {
    const auto& options = config.linux().security_context().namespace_options();
    return options.pid() == cri::TARGET ? options.target_id() : "";
}

Status plan_namespaces(const ContainerRequest& request, const NodeFacts& facts, launch::LaunchPlan& plan) {
    const auto& own = request.config.linux().security_context().namespace_options();
    const auto& pod = sandbox_options(request.sandbox);
    TRY(plan_user(request, facts, plan));
    if (own.pid() == cri::TARGET && own.target_id().empty())
        return wrong_mode("pid", own.pid(), "target_id is empty");
    TRY(check_shared("network", own.network(), pod.network()));
    TRY(check_shared("ipc", own.ipc(), pod.ipc()));
    plan.pid = TRY(pid_namespace(own.pid(), pod.pid()));
    plan.ipc = {host_ipc(request.sandbox) ? NsFrom::Host : NsFrom::Sandbox, ""};
    // The host's name goes with the host's network: what a process finds under its name must be reachable.
    if (host_network(request.sandbox)) {
        plan.net = {NsFrom::Host, ""};
        plan.uts = {NsFrom::Host, ""};
        return ok();
    }
    if (request.sandbox_paths.netns.empty()) {
        return Error::invalid("the sandbox has no network namespace, and none of the host's was asked for");
    }
    plan.net = {NsFrom::Path, request.sandbox_paths.netns};
    plan.uts = {NsFrom::Sandbox, ""};
    return ok();
}

}  // namespace orlop::plan
