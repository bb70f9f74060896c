#include "runtime/core/networks.h"

namespace orlop::core {

Result<netns::NetworkConfig> Networks::current() {
    auto loaded = netns::load_networks(conf_dir_);
    if (!loaded) return Error::unavailable("network is not ready: " + loaded.error().what());
    std::set<std::string> skipped(loaded->skipped.begin(), loaded->skipped.end());
    std::lock_guard lock(mutex_);
    for (const std::string& text : skipped) {
        if (reported_.count(text) == 0) report_("CNI configuration skipped: " + text);
    }
    // What was mended is forgotten, so that breaking it again is reported again.
    reported_ = std::move(skipped);
    return std::move(loaded->network);
}

}  // namespace orlop::core
