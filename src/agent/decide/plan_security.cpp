// securityContext of pod and container -> CRI.
#include <algorithm>
#include <array>

#include "agent/decide/plan.h"

namespace orlop::agent {

namespace {

// Passed by name because an empty list means "mask nothing" to a CRI runtime.
constexpr std::array<const char*, 12> kMasked{
    "/proc/asound",      "/proc/acpi",          "/proc/interrupts", "/proc/kcore",
    "/proc/keys",        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
    "/proc/sched_debug", "/proc/scsi",          "/sys/firmware",    "/sys/devices/virtual/powercap"};
constexpr std::array<const char*, 5> kReadonly{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                               "/proc/sysrq-trigger"};

template <class Container, class Pod>
auto either(const Container& own, const Pod& pods) {
    return own ? own : pods;
}

void plan_namespaces(const kube::Pod& pod, cri::NamespaceOption& out) {
    out.set_network(pod.spec.host_network ? cri::NODE : cri::POD);
    out.set_ipc(pod.spec.host_ipc ? cri::NODE : cri::POD);
    out.set_pid(pod.spec.host_pid ? cri::NODE : pod.spec.share_process_namespace ? cri::POD : cri::CONTAINER);
}

void plan_groups(const kube::PodSecurity& security, google::protobuf::RepeatedField<int64_t>& out) {
    if (security.fs_group) out.Add(*security.fs_group);
    for (const int64_t group : security.supplemental_groups) out.Add(group);
}

bool privileged(const kube::Container& c) {
    return c.security && c.security->privileged == true;
}

void plan_seccomp(const std::optional<kube::SecurityProfile>& wanted, const NodeFacts& node,
                  cri::SecurityProfile& out) {
    if (!wanted) {
        out.set_profile_type(node.seccomp_default ? cri::SecurityProfile::RuntimeDefault
                                                  : cri::SecurityProfile::Unconfined);
        return;
    }
    switch (wanted->type) {
        case kube::ProfileType::RuntimeDefault:
            out.set_profile_type(cri::SecurityProfile::RuntimeDefault);
            break;
        case kube::ProfileType::Unconfined:
            out.set_profile_type(cri::SecurityProfile::Unconfined);
            break;
        case kube::ProfileType::Localhost:
            out.set_profile_type(cri::SecurityProfile::Localhost);
            out.set_localhost_ref(node.paths.seccomp(wanted->localhost));
            break;
    }
}

// runAsNonRoot is a promise about the user that really runs.
Status check_non_root(bool wanted, const std::optional<int64_t>& user, const ContainerFacts& facts) {
    if (!wanted) return ok();
    if (user) {
        if (*user == 0) return Error::precondition("container's runAsUser breaks non-root policy");
        return ok();
    }
    if (facts.image_uid) {
        if (*facts.image_uid == 0)
            return Error::precondition("container has runAsNonRoot and image will run as root");
        return ok();
    }
    if (!facts.image_user.empty())
        return Error::precondition("container has runAsNonRoot and image has non-numeric user (" +
                                   facts.image_user + "), cannot verify user is non-root");
    return Error::precondition("container has runAsNonRoot and image will run as root");
}

}  // namespace

void plan_sandbox_security(const kube::Pod& pod, const NodeFacts&, cri::LinuxSandboxSecurityContext& out) {
    plan_namespaces(pod, *out.mutable_namespace_options());
    out.mutable_seccomp()->set_profile_type(cri::SecurityProfile::RuntimeDefault);
    const bool any =
        std::any_of(pod.spec.containers.begin(), pod.spec.containers.end(), privileged) ||
        std::any_of(pod.spec.init_containers.begin(), pod.spec.init_containers.end(), privileged);
    out.set_privileged(any);
    if (!pod.spec.security) return;
    const kube::PodSecurity& security = *pod.spec.security;
    if (security.run_as_user) out.mutable_run_as_user()->set_value(*security.run_as_user);
    // The CRI takes a group only together with a user.
    if (security.run_as_group && security.run_as_user)
        out.mutable_run_as_group()->set_value(*security.run_as_group);
    plan_groups(security, *out.mutable_supplemental_groups());
}

Status plan_security(const kube::Pod& pod, const kube::Container& container, const ContainerFacts& facts,
                     const NodeFacts& node, cri::LinuxContainerSecurityContext& out) {
    const kube::PodSecurity pods = pod.spec.security.value_or(kube::PodSecurity());
    const kube::ContainerSecurity own = container.security.value_or(kube::ContainerSecurity());
    const auto user = either(own.run_as_user, pods.run_as_user);
    const auto group = either(own.run_as_group, pods.run_as_group);
    TRY(check_non_root(either(own.run_as_non_root, pods.run_as_non_root).value_or(false), user, facts));
    plan_namespaces(pod, *out.mutable_namespace_options());
    if (user)
        out.mutable_run_as_user()->set_value(*user);
    else if (facts.image_uid)
        out.mutable_run_as_user()->set_value(*facts.image_uid);
    else if (!facts.image_user.empty())
        out.set_run_as_username(facts.image_user);
    if (group) {
        // Without any user the image runs as root, and the CRI wants to be told so.
        if (!out.has_run_as_user() && out.run_as_username().empty()) out.mutable_run_as_user()->set_value(0);
        out.mutable_run_as_group()->set_value(*group);
    }
    plan_groups(pods, *out.mutable_supplemental_groups());
    if (own.capabilities) {
        for (const std::string& each : own.capabilities->add)
            out.mutable_capabilities()->add_add_capabilities(each);
        for (const std::string& each : own.capabilities->drop)
            out.mutable_capabilities()->add_drop_capabilities(each);
    }
    out.set_readonly_rootfs(own.read_only_root.value_or(false));
    out.set_no_new_privs(own.allow_escalation == false);
    plan_seccomp(either(own.seccomp, pods.seccomp), node, *out.mutable_seccomp());
    out.set_privileged(own.privileged.value_or(false));
    if (out.privileged()) return ok();
    for (const char* path : kMasked) {
        out.add_masked_paths(path);
    }
    for (const char* path : kReadonly) out.add_readonly_paths(path);
    return ok();
}

}  // namespace orlop::agent
