// The CNI configuration directory as it is now. What is broken in it is reported once for each new text.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "base/result.h"
#include "netns/cni.h"

namespace orlop::core {

class Networks {
  public:
    Networks(std::string conf_dir, std::function<void(const std::string&)> report)
        : conf_dir_(std::move(conf_dir)), report_(std::move(report)) {}

    // The network that pods get. Unavailable, in the kubelet's words, when there is none.
    Result<netns::NetworkConfig> current();

  private:
    std::string conf_dir_;
    std::function<void(const std::string&)> report_;
    std::mutex mutex_;
    std::set<std::string> reported_;  // guarded by mutex_
};

}  // namespace orlop::core
