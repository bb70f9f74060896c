// Tells when a manifest folder (or file) may have changed, wherever it is in its life: missing, made,
// replaced, removed.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/event_loop.h"

namespace orlop::agent {

class FolderWatch {
  public:
    FolderWatch(EventLoop& loop, std::string path, std::function<void()> on_change)
        : loop_(loop), path_(std::move(path)), on_change_(std::move(on_change)) {}

    // Watches the path or, while it does not exist, its closest parent. Again after each change: the watch
    // may have been on a directory that is gone. False if it watches a parent only.
    bool arm();

  private:
    EventLoop& loop_;
    std::string path_;
    std::function<void()> on_change_;
    std::optional<InotifyWatch> watch_;
    std::string watched_;
    uint64_t inode_ = 0;
};

}  // namespace orlop::agent
