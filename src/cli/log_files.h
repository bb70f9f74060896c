// Which log file `orlop logs` reads: found through the runtime, or in the log directory when it is not there.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"

namespace orlop::cli {

// One container of a pod, its latest attempt.
struct LoggedContainer {
    std::string ns;
    std::string pod;
    std::string pod_uid;
    std::string name;
    std::string id;    // "" when only the file is known
    std::string path;  // of its log
    uint32_t attempt = 0;
    int64_t created = 0;  // of its pod; the newest pod of a name is meant
    bool running = false;
};

// Every container of the runtime; Unavailable when it does not answer.
Result<std::vector<LoggedContainer>> logged_containers(const std::string& endpoint);
// Every container with a log below `root`: <ns>_<pod>_<uid>/<container>/<attempt>.log.
Result<std::vector<LoggedContainer>> logged_containers_on_disk(const std::string& root);

// The container that is meant. A pod is named as <pod>, <namespace>/<pod>, or a static pod without the name
// of its node. Errors: NotFound (pod, container), Invalid (several and none chosen, they are listed). Pure.
Result<LoggedContainer> choose_container(const std::vector<LoggedContainer>& all, const LogsOptions& options,
                                         const std::string& node);

// The file of the attempt before.
Result<std::string> previous_log(const LoggedContainer& container);

}  // namespace orlop::cli
