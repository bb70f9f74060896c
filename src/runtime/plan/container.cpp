#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

Result<launch::Process> plan_process(const ContainerRequest& request, const NodeFacts& facts) {
    const cri::ContainerConfig& config = request.config;
    const images::ImageConfig& image = request.image.config;
    const auto& security = config.linux().security_context();
    launch::Process process;
    process.argv = TRY(plan_args(config, image));
    process.env = TRY(plan_env(request, facts));
    process.cwd = TRY(plan_cwd(config, image));
    process.user = TRY(plan_user(security, image));
    process.capabilities = TRY(plan_capabilities(security, facts));
    process.no_new_privileges = security.no_new_privs();
    process.apparmor_profile = TRY(plan_apparmor(security));
    process.seccomp = TRY(plan_seccomp(request, process.capabilities.bounding));
    process.rlimits = plan_rlimits(facts);
    process.oom_score_adj = plan_oom_score(config.linux(), facts);
    process.terminal = config.tty();
    return process;
}

Status check_privileged(const ContainerRequest& request) {
    if (!request.config.linux().security_context().privileged()) return ok();
    if (request.sandbox.linux().security_context().privileged()) return ok();
    return Error::invalid("linux.security_context.privileged: the sandbox is not privileged");
}

}  // namespace

Result<launch::LaunchPlan> plan_container(const ContainerRequest& request, const NodeFacts& facts) {
    const auto& security = request.config.linux().security_context();
    TRY(check_privileged(request));
    launch::LaunchPlan plan;
    plan.id = request.id;
    plan.process = TRY(plan_process(request, facts));
    TRY(plan_namespaces(request, facts, plan));
    const std::optional<UserMaps> user = TRY(user_namespace(request.sandbox));
    // A privileged container looks after the host: it sees cgroup paths as they are. On v1 every mount shows
    // the container's own directory either way, which takes a namespace.
    const bool hosts_cgroups = security.privileged() && facts.cgroup_v2;
    plan.cgroup_namespace.from = hosts_cgroups ? launch::NsFrom::Host : launch::NsFrom::New;
    plan.root.lowers = request.paths.layers;
    plan.root.upper = request.paths.upper;
    plan.root.work = request.paths.work;
    plan.root.readonly = security.readonly_rootfs();
    plan.staging_dir = request.paths.staging;
    plan.mounts = TRY(plan_mounts(request, facts, user));
    if (!facts.cgroup_v2) plan.cgroup_mounts = facts.v1_mounts;
    plan.devices = TRY(plan_devices(request, user.has_value()));
    plan.masked_paths = TRY(plan_paths("masked_paths", security.privileged(), security.masked_paths()));
    plan.readonly_paths = TRY(plan_paths("readonly_paths", security.privileged(), security.readonly_paths()));
    return plan;
}

}  // namespace orlop::plan
