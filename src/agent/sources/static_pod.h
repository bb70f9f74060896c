// What turns the pod of a manifest into a pod of this node.
#pragma once

#include <memory>
#include <string>

#include "agent/node/pod_manager.h"
#include "base/clock.h"
#include "kube/pod_read.h"

namespace orlop::agent {

// UID (a stable hash of document, node and the file's whole path, unless the document has one), name
// <name>-<node>, the annotations kubernetes.io/config.{source,hash,seen}, a toleration for every NoExecute
// taint. Pure.
DesiredPod make_static_pod(const kube::ReadPod& read, const std::string& node_name, const std::string& file,
                           Nanos seen);

}  // namespace orlop::agent
