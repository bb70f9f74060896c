// Ending every pod of a runtime: what `down` does once no agent can start them again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/cri_client.h"

namespace orlop::cli {

struct Teardown {
    size_t pods = 0;
    std::vector<std::string> uids;
    std::vector<std::string> netns;   // paths that the sandboxes had
    std::vector<std::string> errors;  // one line each
};

// Stops the containers with their pods' grace periods, then stops and removes the sandboxes; all pods at the
// same time. Goes on when one fails.
Result<Teardown> end_all_pods(const CriClient& client, const std::function<void(const std::string&)>& say);

// Seconds: the pod's own, which the kubelet and the agent leave in an annotation, else `otherwise`.
int64_t grace_of(const cri::Container& container, int64_t otherwise);

}  // namespace orlop::cli
