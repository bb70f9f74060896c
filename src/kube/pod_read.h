// Documents -> Pods, with defaults filled in and everything checked.
#pragma once

#include <string_view>
#include <vector>

#include "kube/findings.h"
#include "kube/pod.h"

namespace orlop::kube {

struct ReadPod {
    Pod pod;
    // Valid, but asks for what is not built: must not be run as if it did not.
    std::vector<Finding> refusals;
    std::vector<Finding> warnings;
    // The document as it was read: for a stable identity.
    Json document;
};

// A document of kind Pod, v1. Invalid (all findings in one line) for anything else. Defaults: namespace
// "default", restartPolicy Always, grace period 30, dnsPolicy ClusterFirst, protocol TCP, pull policy by
// tag, requests from limits, hostPort from containerPort on the host's network.
Result<ReadPod> read_pod(const Json& document);
// Every document in the text; an error names which one.
Result<std::vector<ReadPod>> read_pods(std::string_view text);

// {apiVersion, kind, metadata, spec}
Json pod_json(const Pod& pod);

}  // namespace orlop::kube
