#include "agent/sources/folder_watch.h"

#include <sys/stat.h>

#include <filesystem>

namespace orlop::agent {

namespace {

// Not IN_MODIFY: a file is read when its writer has closed it.
constexpr uint32_t kMask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB |
                           IN_DELETE_SELF | IN_MOVE_SELF;

}  // namespace

bool FolderWatch::arm() {
    std::filesystem::path at(path_);
    struct stat st {};
    bool exact = true;
    while (stat(at.c_str(), &st) != 0 || (!exact && !S_ISDIR(st.st_mode))) {
        exact = false;
        if (!at.has_relative_path()) return false;
        at = at.parent_path();
    }
    // A file is watched through its directory: editors replace it.
    if (!S_ISDIR(st.st_mode)) {
        at = at.parent_path();
        if (stat(at.c_str(), &st) != 0) return false;
    }
    if (watch_ && watched_ == at.string() && inode_ == st.st_ino) return exact;
    auto watch =
        InotifyWatch::make(loop_, at.string(), kMask, [this](const InotifyWatch::Event&) { on_change_(); });
    if (!watch) return false;
    watch_ = std::move(*watch);
    watched_ = at.string();
    inode_ = st.st_ino;
    return exact;
}

}  // namespace orlop::agent
