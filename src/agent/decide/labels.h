// Labels and annotations by which the kubelet and its tools find pods and containers in the CRI.
#pragma once

namespace orlop::agent::labels {

inline constexpr char kPodName[] = "io.kubernetes.pod.name";
inline constexpr char kPodNamespace[] = "io.kubernetes.pod.namespace";
inline constexpr char kPodUid[] = "io.kubernetes.pod.uid";
inline constexpr char kContainerName[] = "io.kubernetes.container.name";

inline constexpr char kHash[] = "io.kubernetes.container.hash";
inline constexpr char kRestartCount[] = "io.kubernetes.container.restartCount";
inline constexpr char kMessagePath[] = "io.kubernetes.container.terminationMessagePath";
inline constexpr char kMessagePolicy[] = "io.kubernetes.container.terminationMessagePolicy";
inline constexpr char kPorts[] = "io.kubernetes.container.ports";
inline constexpr char kGrace[] = "io.kubernetes.pod.terminationGracePeriod";

inline constexpr char kConfigSource[] = "kubernetes.io/config.source";
inline constexpr char kConfigHash[] = "kubernetes.io/config.hash";
inline constexpr char kConfigSeen[] = "kubernetes.io/config.seen";

}  // namespace orlop::agent::labels
