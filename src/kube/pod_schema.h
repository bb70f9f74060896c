// The tables of the kinds in pod.h.
#pragma once

#include "kube/pod.h"
#include "kube/schema.h"

namespace orlop::kube {

template <>
struct EnumNames<Protocol> {
    static constexpr std::pair<Protocol, std::string_view> table[] = {
        {Protocol::Tcp, "TCP"}, {Protocol::Udp, "UDP"}, {Protocol::Sctp, "SCTP"}};
};
template <>
struct EnumNames<RestartPolicy> {
    static constexpr std::pair<RestartPolicy, std::string_view> table[] = {
        {RestartPolicy::Always, "Always"},
        {RestartPolicy::OnFailure, "OnFailure"},
        {RestartPolicy::Never, "Never"}};
};
template <>
struct EnumNames<ContainerRestartPolicy> {
    static constexpr std::pair<ContainerRestartPolicy, std::string_view> table[] = {
        {ContainerRestartPolicy::Unset, ""}, {ContainerRestartPolicy::Always, "Always"}};
};
template <>
struct EnumNames<PullPolicy> {
    static constexpr std::pair<PullPolicy, std::string_view> table[] = {
        {PullPolicy::Unset, ""},
        {PullPolicy::Always, "Always"},
        {PullPolicy::IfNotPresent, "IfNotPresent"},
        {PullPolicy::Never, "Never"}};
};
template <>
struct EnumNames<DnsPolicy> {
    static constexpr std::pair<DnsPolicy, std::string_view> table[] = {
        {DnsPolicy::ClusterFirst, "ClusterFirst"},
        {DnsPolicy::ClusterFirstWithHostNet, "ClusterFirstWithHostNet"},
        {DnsPolicy::Default, "Default"},
        {DnsPolicy::None, "None"}};
};
template <>
struct EnumNames<MountPropagation> {
    static constexpr std::pair<MountPropagation, std::string_view> table[] = {
        {MountPropagation::None, "None"},
        {MountPropagation::HostToContainer, "HostToContainer"},
        {MountPropagation::Bidirectional, "Bidirectional"}};
};
template <>
struct EnumNames<Medium> {
    static constexpr std::pair<Medium, std::string_view> table[] = {{Medium::Default, ""},
                                                                    {Medium::Memory, "Memory"}};
};
template <>
struct EnumNames<HostPathType> {
    static constexpr std::pair<HostPathType, std::string_view> table[] = {
        {HostPathType::Unset, ""},
        {HostPathType::DirectoryOrCreate, "DirectoryOrCreate"},
        {HostPathType::Directory, "Directory"},
        {HostPathType::FileOrCreate, "FileOrCreate"},
        {HostPathType::File, "File"},
        {HostPathType::Socket, "Socket"},
        {HostPathType::CharDevice, "CharDevice"},
        {HostPathType::BlockDevice, "BlockDevice"}};
};
template <>
struct EnumNames<ProfileType> {
    static constexpr std::pair<ProfileType, std::string_view> table[] = {
        {ProfileType::RuntimeDefault, "RuntimeDefault"},
        {ProfileType::Unconfined, "Unconfined"},
        {ProfileType::Localhost, "Localhost"}};
};
template <>
struct EnumNames<MessagePolicy> {
    static constexpr std::pair<MessagePolicy, std::string_view> table[] = {
        {MessagePolicy::File, "File"}, {MessagePolicy::FallbackToLogsOnError, "FallbackToLogsOnError"}};
};

template <>
struct Schema<ObjectMeta> {
    static std::span<const Field<ObjectMeta>> fields();
    static void finish(ObjectMeta& meta, const Path& path, Findings& findings);
};
template <>
struct Schema<FieldSelector> {
    static std::span<const Field<FieldSelector>> fields();
    static void finish(FieldSelector& selector, const Path& path, Findings& findings);
};
template <>
struct Schema<ResourceSelector> {
    static std::span<const Field<ResourceSelector>> fields();
    static void finish(ResourceSelector& selector, const Path& path, Findings& findings);
};
template <>
struct Schema<EnvSource> {
    static std::span<const Field<EnvSource>> fields();
};
template <>
struct Schema<EnvVar> {
    static std::span<const Field<EnvVar>> fields();
    static void finish(EnvVar& env, const Path& path, Findings& findings);
};
template <>
struct Schema<ContainerPort> {
    static std::span<const Field<ContainerPort>> fields();
    static void finish(ContainerPort& port, const Path& path, Findings& findings);
};
template <>
struct Schema<Resources> {
    static std::span<const Field<Resources>> fields();
    static void finish(Resources& resources, const Path& path, Findings& findings);
};
template <>
struct Schema<VolumeMount> {
    static std::span<const Field<VolumeMount>> fields();
    static void finish(VolumeMount& mount, const Path& path, Findings& findings);
};
template <>
struct Schema<Capabilities> {
    static std::span<const Field<Capabilities>> fields();
};
template <>
struct Schema<SecurityProfile> {
    static std::span<const Field<SecurityProfile>> fields();
    static void finish(SecurityProfile& profile, const Path& path, Findings& findings);
};
template <>
struct Schema<ContainerSecurity> {
    static std::span<const Field<ContainerSecurity>> fields();
    static void finish(ContainerSecurity& security, const Path& path, Findings& findings);
};
template <>
struct Schema<Container> {
    static std::span<const Field<Container>> fields();
    static void finish(Container& container, const Path& path, Findings& findings);
};
template <>
struct Schema<EmptyDir> {
    static std::span<const Field<EmptyDir>> fields();
    static void finish(EmptyDir& dir, const Path& path, Findings& findings);
};
template <>
struct Schema<HostPath> {
    static std::span<const Field<HostPath>> fields();
    static void finish(HostPath& host, const Path& path, Findings& findings);
};
template <>
struct Schema<Volume> {
    static std::span<const Field<Volume>> fields();
    static void finish(Volume& volume, const Path& path, Findings& findings);
};
template <>
struct Schema<Sysctl> {
    static std::span<const Field<Sysctl>> fields();
};
template <>
struct Schema<PodSecurity> {
    static std::span<const Field<PodSecurity>> fields();
    static void finish(PodSecurity& security, const Path& path, Findings& findings);
};
template <>
struct Schema<DnsOption> {
    static std::span<const Field<DnsOption>> fields();
};
template <>
struct Schema<DnsConfig> {
    static std::span<const Field<DnsConfig>> fields();
    static void finish(DnsConfig& dns, const Path& path, Findings& findings);
};
template <>
struct Schema<HostAlias> {
    static std::span<const Field<HostAlias>> fields();
    static void finish(HostAlias& alias, const Path& path, Findings& findings);
};
template <>
struct Schema<PodSpec> {
    static std::span<const Field<PodSpec>> fields();
    static void finish(PodSpec& spec, const Path& path, Findings& findings);
};

}  // namespace orlop::kube
