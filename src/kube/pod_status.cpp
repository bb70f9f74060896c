#include "kube/pod_status.h"

#include "kube/schema.h"

namespace orlop::kube {

template <>
struct Schema<ContainerWaiting> {
    static std::span<const Field<ContainerWaiting>> fields() {
        using T = ContainerWaiting;
        static constexpr Field<T> table[] = {field<&T::reason>("reason"), field<&T::message>("message")};
        return table;
    }
};
template <>
struct Schema<ContainerRunning> {
    static std::span<const Field<ContainerRunning>> fields() {
        using T = ContainerRunning;
        static constexpr Field<T> table[] = {field<&T::started_at>("startedAt")};
        return table;
    }
};
template <>
struct Schema<ContainerTerminated> {
    static std::span<const Field<ContainerTerminated>> fields() {
        using T = ContainerTerminated;
        static constexpr Field<T> table[] = {field<&T::exit_code>("exitCode", kAlways),
                                             field<&T::reason>("reason"),
                                             field<&T::message>("message"),
                                             field<&T::started_at>("startedAt"),
                                             field<&T::finished_at>("finishedAt"),
                                             field<&T::container_id>("containerID")};
        return table;
    }
};
template <>
struct Schema<ContainerState> {
    static std::span<const Field<ContainerState>> fields() {
        using T = ContainerState;
        static constexpr Field<T> table[] = {field<&T::waiting>("waiting"), field<&T::running>("running"),
                                             field<&T::terminated>("terminated")};
        return table;
    }
};
template <>
struct Schema<ContainerStatus> {
    static std::span<const Field<ContainerStatus>> fields() {
        using T = ContainerStatus;
        static constexpr Field<T> table[] = {field<&T::name>("name", kAlways),
                                             field<&T::state>("state", kAlways),
                                             field<&T::last_state>("lastState", kAlways),
                                             field<&T::ready>("ready", kAlways),
                                             field<&T::restart_count>("restartCount", kAlways),
                                             field<&T::image>("image", kAlways),
                                             field<&T::image_id>("imageID", kAlways),
                                             field<&T::container_id>("containerID"),
                                             field<&T::started>("started", kAlways)};
        return table;
    }
};
template <>
struct Schema<PodCondition> {
    static std::span<const Field<PodCondition>> fields() {
        using T = PodCondition;
        static constexpr Field<T> table[] = {field<&T::type>("type", kAlways),
                                             field<&T::status>("status", kAlways),
                                             field<&T::reason>("reason"), field<&T::message>("message"),
                                             field<&T::last_transition>("lastTransitionTime")};
        return table;
    }
};
template <>
struct Schema<Ip> {
    static std::span<const Field<Ip>> fields() {
        static constexpr Field<Ip> table[] = {field<&Ip::ip>("ip", kAlways)};
        return table;
    }
};
template <>
struct Schema<PodStatus> {
    static std::span<const Field<PodStatus>> fields() {
        using T = PodStatus;
        static constexpr Field<T> table[] = {
            field<&T::phase>("phase", kAlways),
            field<&T::reason>("reason"),
            field<&T::message>("message"),
            field<&T::conditions>("conditions"),
            field<&T::host_ip>("hostIP"),
            field<&T::host_ips>("hostIPs"),
            field<&T::pod_ip>("podIP"),
            field<&T::pod_ips>("podIPs"),
            field<&T::start_time>("startTime"),
            field<&T::qos_class>("qosClass"),
            field<&T::init_containers>("initContainerStatuses"),
            field<&T::containers>("containerStatuses"),
        };
        return table;
    }
};

Json status_json(const PodStatus& status) {
    return Codec<PodStatus>::write(status);
}

}  // namespace orlop::kube
