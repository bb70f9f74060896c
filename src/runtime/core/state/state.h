// All that the daemon knows, as one value to hand around: the records, their names, and who may change a pod
// now.
#pragma once

#include <memory>
#include <vector>

#include "runtime/core/state/names.h"
#include "runtime/core/state/pod_locks.h"
#include "runtime/core/state/records.h"
#include "runtime/core/state/store.h"

namespace orlop::core {

using Sandboxes = Store<SandboxRecord>;
using Containers = Store<ContainerRecord>;

struct State {
    std::unique_ptr<Sandboxes> sandboxes;
    std::unique_ptr<Containers> containers;
    Names names;
    PodLocks pods;

    std::vector<Containers::Ptr> containers_of(const std::string& sandbox) const {
        std::vector<Containers::Ptr> out;
        for (auto& record : containers->list()) {
            if (record->sandbox == sandbox) out.push_back(std::move(record));
        }
        return out;
    }
};

}  // namespace orlop::core
