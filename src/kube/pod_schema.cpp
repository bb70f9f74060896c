#include "kube/pod_schema.h"

namespace orlop::kube {

std::span<const Field<ObjectMeta>> Schema<ObjectMeta>::fields() {
    using T = ObjectMeta;
    static constexpr Field<T> table[] = {
        field<&T::name>("name", kRequired),
        field<&T::ns>("namespace"),
        field<&T::uid>("uid"),
        field<&T::labels>("labels"),
        field<&T::annotations>("annotations"),
        field<&T::created>("creationTimestamp"),
        field<&T::deleted>("deletionTimestamp"),
        field<&T::deletion_grace_s>("deletionGracePeriodSeconds"),
        kept<&T::other, Shape::String>("generateName"),
        kept<&T::other, Shape::Int>("generation"),
        kept<&T::other, Shape::String>("resourceVersion"),
        kept<&T::other, Shape::String>("selfLink"),
        kept<&T::other, Shape::List>("ownerReferences"),
        kept<&T::other, Shape::List>("finalizers"),
        kept<&T::other, Shape::List>("managedFields"),
    };
    return table;
}

std::span<const Field<FieldSelector>> Schema<FieldSelector>::fields() {
    using T = FieldSelector;
    static constexpr Field<T> table[] = {
        field<&T::api_version>("apiVersion"),
        field<&T::field_path>("fieldPath", kRequired),
    };
    return table;
}

std::span<const Field<ResourceSelector>> Schema<ResourceSelector>::fields() {
    using T = ResourceSelector;
    static constexpr Field<T> table[] = {
        field<&T::container>("containerName"),
        field<&T::resource>("resource", kRequired),
        field<&T::divisor>("divisor"),
    };
    return table;
}

std::span<const Field<EnvSource>> Schema<EnvSource>::fields() {
    using T = EnvSource;
    static constexpr Field<T> table[] = {
        field<&T::field_ref>("fieldRef"), field<&T::resource_ref>("resourceFieldRef"),
        refused<T>("configMapKeyRef"),    refused<T>("secretKeyRef"),
        refused<T>("fileKeyRef"),
    };
    return table;
}

std::span<const Field<EnvVar>> Schema<EnvVar>::fields() {
    using T = EnvVar;
    static constexpr Field<T> table[] = {
        field<&T::name>("name", kRequired),
        field<&T::value>("value"),
        field<&T::from>("valueFrom"),
    };
    return table;
}

std::span<const Field<ContainerPort>> Schema<ContainerPort>::fields() {
    using T = ContainerPort;
    static constexpr Field<T> table[] = {
        field<&T::name>("name"),
        field<&T::container_port>("containerPort", kRequired),
        field<&T::host_port>("hostPort"),
        field<&T::host_ip>("hostIP"),
        field<&T::protocol>("protocol", kAlways),
    };
    return table;
}

std::span<const Field<Resources>> Schema<Resources>::fields() {
    using T = Resources;
    static constexpr Field<T> table[] = {
        field<&T::limits>("limits"),
        field<&T::requests>("requests"),
        refused<T>("claims"),
    };
    return table;
}

std::span<const Field<VolumeMount>> Schema<VolumeMount>::fields() {
    using T = VolumeMount;
    static constexpr Field<T> table[] = {
        field<&T::name>("name", kRequired),
        field<&T::mount_path>("mountPath", kRequired),
        field<&T::read_only>("readOnly"),
        field<&T::propagation>("mountPropagation"),
        refused<T>("subPath"),
        refused<T>("subPathExpr"),
        refused<T>("recursiveReadOnly", "\"Disabled\""),
    };
    return table;
}

std::span<const Field<Capabilities>> Schema<Capabilities>::fields() {
    using T = Capabilities;
    static constexpr Field<T> table[] = {field<&T::add>("add"), field<&T::drop>("drop")};
    return table;
}

std::span<const Field<SecurityProfile>> Schema<SecurityProfile>::fields() {
    using T = SecurityProfile;
    static constexpr Field<T> table[] = {
        field<&T::type>("type", kRequired | kAlways),
        field<&T::localhost>("localhostProfile"),
    };
    return table;
}

std::span<const Field<ContainerSecurity>> Schema<ContainerSecurity>::fields() {
    using T = ContainerSecurity;
    static constexpr Field<T> table[] = {
        field<&T::capabilities>("capabilities"),
        field<&T::privileged>("privileged"),
        field<&T::run_as_user>("runAsUser"),
        field<&T::run_as_group>("runAsGroup"),
        field<&T::run_as_non_root>("runAsNonRoot"),
        field<&T::read_only_root>("readOnlyRootFilesystem"),
        field<&T::allow_escalation>("allowPrivilegeEscalation"),
        field<&T::seccomp>("seccompProfile"),
        refused<T>("procMount", "\"Default\""),
        refused<T>("seLinuxOptions"),
        refused<T>("appArmorProfile", "{\"type\":\"RuntimeDefault\"}"),
        refused<T>("windowsOptions"),
    };
    return table;
}

std::span<const Field<Container>> Schema<Container>::fields() {
    using T = Container;
    static constexpr Field<T> table[] = {
        field<&T::name>("name", kRequired),
        field<&T::image>("image", kRequired),
        field<&T::command>("command"),
        field<&T::args>("args"),
        field<&T::working_dir>("workingDir"),
        field<&T::ports>("ports"),
        field<&T::env>("env"),
        field<&T::resources>("resources", kAlways),
        field<&T::mounts>("volumeMounts"),
        field<&T::pull_policy>("imagePullPolicy"),
        field<&T::security>("securityContext"),
        field<&T::restart_policy>("restartPolicy"),
        field<&T::message_path>("terminationMessagePath"),
        field<&T::message_policy>("terminationMessagePolicy", kAlways),
        field<&T::tty>("tty"),
        field<&T::standard_input>("stdin"),
        field<&T::stdin_once>("stdinOnce"),
        refused<T>("envFrom"),
        refused<T>("livenessProbe"),
        refused<T>("readinessProbe"),
        refused<T>("startupProbe"),
        refused<T>("lifecycle"),
        refused<T>("volumeDevices"),
        refused<T>("restartPolicyRules"),
        warned<T, Shape::List>("resizePolicy", "in-place resize is not supported yet, ignored"),
    };
    return table;
}

std::span<const Field<EmptyDir>> Schema<EmptyDir>::fields() {
    using T = EmptyDir;
    static constexpr Field<T> table[] = {
        field<&T::medium>("medium"),
        field<&T::size_limit>("sizeLimit"),
    };
    return table;
}

std::span<const Field<HostPath>> Schema<HostPath>::fields() {
    using T = HostPath;
    static constexpr Field<T> table[] = {
        field<&T::path>("path", kRequired),
        field<&T::type>("type"),
    };
    return table;
}

std::span<const Field<Volume>> Schema<Volume>::fields() {
    using T = Volume;
    static constexpr Field<T> table[] = {
        field<&T::name>("name", kRequired),
        field<&T::empty_dir>("emptyDir"),
        field<&T::host_path>("hostPath"),
        refused<T>("awsElasticBlockStore"),
        refused<T>("azureDisk"),
        refused<T>("azureFile"),
        refused<T>("cephfs"),
        refused<T>("cinder"),
        refused<T>("configMap"),
        refused<T>("csi"),
        refused<T>("downwardAPI"),
        refused<T>("ephemeral"),
        refused<T>("fc"),
        refused<T>("flexVolume"),
        refused<T>("flocker"),
        refused<T>("gcePersistentDisk"),
        refused<T>("gitRepo"),
        refused<T>("glusterfs"),
        refused<T>("image"),
        refused<T>("iscsi"),
        refused<T>("nfs"),
        refused<T>("persistentVolumeClaim"),
        refused<T>("photonPersistentDisk"),
        refused<T>("portworxVolume"),
        refused<T>("projected"),
        refused<T>("quobyte"),
        refused<T>("rbd"),
        refused<T>("scaleIO"),
        refused<T>("secret"),
        refused<T>("storageos"),
        refused<T>("vsphereVolume"),
    };
    return table;
}

std::span<const Field<Sysctl>> Schema<Sysctl>::fields() {
    using T = Sysctl;
    static constexpr Field<T> table[] = {
        field<&T::name>("name", kRequired),
        field<&T::value>("value", kRequired),
    };
    return table;
}

std::span<const Field<PodSecurity>> Schema<PodSecurity>::fields() {
    using T = PodSecurity;
    static constexpr Field<T> table[] = {
        field<&T::run_as_user>("runAsUser"),
        field<&T::run_as_group>("runAsGroup"),
        field<&T::run_as_non_root>("runAsNonRoot"),
        field<&T::fs_group>("fsGroup"),
        field<&T::supplemental_groups>("supplementalGroups"),
        field<&T::seccomp>("seccompProfile"),
        field<&T::sysctls>("sysctls"),
        refused<T>("supplementalGroupsPolicy", "\"Merge\""),
        warned<T, Shape::String>("fsGroupChangePolicy", "has no effect on emptyDir volumes"),
        refused<T>("seLinuxOptions"),
        refused<T>("seLinuxChangePolicy"),
        refused<T>("appArmorProfile", "{\"type\":\"RuntimeDefault\"}"),
        refused<T>("windowsOptions"),
    };
    return table;
}

std::span<const Field<DnsOption>> Schema<DnsOption>::fields() {
    using T = DnsOption;
    static constexpr Field<T> table[] = {
        field<&T::name>("name", kRequired),
        field<&T::value>("value"),
    };
    return table;
}

std::span<const Field<DnsConfig>> Schema<DnsConfig>::fields() {
    using T = DnsConfig;
    static constexpr Field<T> table[] = {
        field<&T::nameservers>("nameservers"),
        field<&T::searches>("searches"),
        field<&T::options>("options"),
    };
    return table;
}

std::span<const Field<HostAlias>> Schema<HostAlias>::fields() {
    using T = HostAlias;
    static constexpr Field<T> table[] = {
        field<&T::ip>("ip", kRequired),
        field<&T::hostnames>("hostnames"),
    };
    return table;
}

std::span<const Field<PodSpec>> Schema<PodSpec>::fields() {
    using T = PodSpec;
    static constexpr Field<T> table[] = {
        field<&T::init_containers>("initContainers"),
        field<&T::containers>("containers", kRequired),
        field<&T::volumes>("volumes"),
        field<&T::restart_policy>("restartPolicy", kAlways),
        field<&T::grace_s>("terminationGracePeriodSeconds"),
        field<&T::dns_policy>("dnsPolicy", kAlways),
        field<&T::dns_config>("dnsConfig"),
        field<&T::node_name>("nodeName"),
        field<&T::host_network>("hostNetwork"),
        field<&T::host_pid>("hostPID"),
        field<&T::host_ipc>("hostIPC"),
        field<&T::share_process_namespace>("shareProcessNamespace"),
        field<&T::security>("securityContext"),
        field<&T::hostname>("hostname"),
        field<&T::host_aliases>("hostAliases"),
        field<&T::priority_class>("priorityClassName"),
        field<&T::priority>("priority"),
        refused<T>("activeDeadlineSeconds"),
        refused<T>("ephemeralContainers"),
        refused<T>("hostUsers", "true"),
        refused<T>("hostnameOverride"),
        refused<T>("imagePullSecrets"),
        refused<T>("overhead"),
        refused<T>("readinessGates"),
        refused<T>("resourceClaims"),
        refused<T>("resources"),
        refused<T>("runtimeClassName"),
        refused<T>("serviceAccount"),
        refused<T>("serviceAccountName"),
        refused<T>("setHostnameAsFQDN"),
        refused<T>("subdomain"),
        // For the scheduler and the API server: a static pod is already where it belongs.
        kept<&T::other, Shape::Map>("affinity"),
        kept<&T::other, Shape::Bool>("automountServiceAccountToken"),
        kept<&T::other, Shape::Bool>("enableServiceLinks"),
        kept<&T::other, Shape::Map>("nodeSelector"),
        kept<&T::other, Shape::Map>("os"),
        kept<&T::other, Shape::String>("preemptionPolicy"),
        kept<&T::other, Shape::String>("schedulerName"),
        kept<&T::other, Shape::List>("schedulingGates"),
        kept<&T::other, Shape::List>("tolerations"),
        kept<&T::other, Shape::List>("topologySpreadConstraints"),
    };
    return table;
}

}  // namespace orlop::kube
