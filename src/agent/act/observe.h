// Asks the runtime what there is.
#pragma once

#include <map>
#include <string>

#include "agent/act/cri.h"
#include "agent/decide/observed.h"
#include "agent/decide/paths.h"

namespace orlop::agent {

// One pod in full. `known` is an earlier answer: what cannot change any more is not asked again.
Result<ObservedPod> observe_pod(const Cri& cri, const std::string& uid, const ObservedPod& known,
                                const Paths& paths);

// Every pod of Kubernetes (by label), cheaply: enough to see that something changed.
struct PodGlimpse {
    std::string name;
    std::string ns;
    int64_t grace_s = 30;
    std::string signature;  // ids and states; equal text = nothing changed
};
Result<std::map<std::string, PodGlimpse>> observe_all(const Cri& cri);
std::string signature_of(const ObservedPod& pod);

}  // namespace orlop::agent
