// The manifest folder (or one manifest file): reading it, and what is wanted after each reading.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/node/pod_manager.h"
#include "base/result.h"
#include "kube/pod_read.h"

namespace orlop::agent {

// Tells versions of a file apart without reading it.
struct FileStamp {
    uint64_t inode = 0;
    int64_t size = 0;
    int64_t modified = 0;  // nanoseconds
    int64_t changed = 0;
    bool operator==(const FileStamp&) const = default;
};

struct ScannedFile {
    FileStamp stamp;
    // Nothing when the stamp is the one that was already known.
    std::optional<Result<std::vector<kube::ReadPod>>> pods;
};
using Stamps = std::map<std::string, FileStamp>;

// Regular files (or symlinks to them) whose names do not start with a dot; no recursion; at most 10 MB each.
// A missing path is an empty set. The path and everything in it must belong to root and be writable by root
// alone: what is not is an error (Precondition) of the file or of the whole. Blocking.
Result<std::map<std::string, ScannedFile>> scan_manifests(const std::string& path, const Stamps& known);

struct ManifestError {
    std::string file;
    std::string message;
    bool operator==(const ManifestError&) const = default;
};

// Keeps the last good content of each file, in memory and in `memory_dir` (so that a broken manifest does
// not end its pod when the agent restarts).
class ManifestStore {
  public:
    // memory_dir "" keeps nothing on disk.
    ManifestStore(std::string node_name, std::string memory_dir)
        : node_(std::move(node_name)), memory_dir_(std::move(memory_dir)) {}

    Stamps known() const;
    // True if the wanted pods changed. `folder` is what errors of the whole folder are reported under.
    bool take(Result<std::map<std::string, ScannedFile>> scanned, const std::string& folder, Nanos now);

    // False until the folder has been read once.
    bool ready() const { return ready_; }
    std::vector<DesiredPod> desired() const;
    const std::vector<ManifestError>& errors() const { return errors_; }
    const std::vector<ManifestError>& warnings() const { return warnings_; }

  private:
    struct File {
        FileStamp stamp;
        std::vector<DesiredPod> pods;  // last good
        std::vector<ManifestError> warnings;
        std::string error;  // of the newest content
    };
    bool take_file(const std::string& name, ScannedFile& scanned, Nanos now);
    bool accept(const std::string& name, File& file, std::vector<kube::ReadPod>& pods, Nanos now);
    bool recall(const std::string& name, File& file, Nanos now);
    void remember(const std::string& name, const std::vector<kube::ReadPod>& pods);
    void forget(const std::string& name);
    void collect_reports();

    std::string node_;
    std::string memory_dir_;
    std::map<std::string, File> files_;
    std::string folder_error_;
    std::string folder_;
    std::vector<ManifestError> errors_;
    std::vector<ManifestError> warnings_;
    bool ready_ = false;
};

}  // namespace orlop::agent
