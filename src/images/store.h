// The content-addressed image store: what is imported, and what containers are made of.
//
//   <root>/                      0700, owned by root
//     lock                       flock(2) of the one process that has it open; holds its pid
//     images.db                  SQLite (WAL): images, references, layers; the truth about what exists
//     blobs/sha256/<hex>         manifests and configs, content-addressed
//     layers/<diffid hex>/       one unpacked layer, overlayfs lower format (0/0 whiteouts,
//                                trusted.overlay.opaque); <diffid hex>.<chain> if the layer's tar lacks
//                                directories whose attributes then come from the layers below it
//     ingest/                    work in progress; emptied at start
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace orlop::images {

// The part of the OCI image config (image-spec config.md) that containers need.
struct ImageConfig {
    std::vector<std::string> entrypoint;
    std::vector<std::string> cmd;
    std::vector<std::string> env;  // KEY=VALUE
    std::string working_dir;
    std::string user;         // "", "uid", "name", "uid:gid", "name:group"
    std::string stop_signal;  // "", "SIGTERM", "15"
    std::vector<std::string> volumes;
    std::map<std::string, std::string> labels;
    std::string os, architecture;
};

struct Image {
    std::string id;                         // "sha256:<hex of the config>"
    std::vector<std::string> repo_tags;     // "docker.io/library/busybox:1.36"
    std::vector<std::string> repo_digests;  // "docker.io/library/busybox@sha256:..."
    uint64_t size = 0;                      // bytes on disk of config and unpacked layers
    bool pinned = false;
    ImageConfig config;
    std::string config_json;          // verbatim
    std::vector<std::string> layers;  // DiffIDs "sha256:...", lowest first
};

struct Progress {
    std::string stage;             // "read", "unpack", "done"
    std::string layer;             // DiffID or ""
    uint64_t done = 0, total = 0;  // bytes
};
using OnProgress = std::function<void(const Progress&)>;

struct RootfsImport {
    std::string path;       // a directory, or a tar (plain, gzip, zstd, xz)
    std::string reference;  // required
    std::vector<std::string> entrypoint, cmd, env;
    std::string working_dir, user;
};

struct DiskUsage {
    uint64_t bytes = 0;
    uint64_t inodes = 0;
};

// Normalizes a reference as docker and CRI clients write it: "busybox" -> "docker.io/library/busybox:latest",
// "host:5000/a/b@sha256:..." kept; an image id ("sha256:<hex>" or >= 12 hex digits) is recognized by
// Store::find. Errors name what is wrong (distribution reference grammar).
struct Reference {
    std::string domain, path, tag, digest;
    std::string str() const;  // canonical
    static Result<Reference> parse(const std::string& text);
};

// What Store::verify found.
struct Verified {
    uint64_t images = 0, layers = 0;
    std::vector<std::string> problems;  // one line each
};

class Intake;

class Store {
  public:
    // Opens or makes it; takes an exclusive lock on <root>/lock (Unavailable naming the holder if taken);
    // removes what an interrupted import left. Refuses a root that is not owned by root or is writable by
    // others.
    static Result<std::unique_ptr<Store>> open(const std::string& root);
    virtual ~Store() = default;

    // docker-archive (docker save), OCI archive (tar, any compression) or OCI layout directory; detected.
    // `reference` names the image, or "" = the names inside. Digests and DiffIDs are verified. Returns what
    // was imported.
    virtual Result<std::vector<Image>> import_archive(const std::string& path, const std::string& reference,
                                                      const OnProgress& progress) = 0;
    virtual Result<Image> import_rootfs(const RootfsImport& request, const OnProgress& progress) = 0;

    // For images that come from elsewhere, layer by layer (images/intake.h). It must not outlive the store.
    virtual Result<std::unique_ptr<Intake>> intake() = 0;

    virtual Result<std::vector<Image>> list() const = 0;
    // By reference, id, unique short id (>= 12... any unique prefix of >= 4 hex digits) or digest reference.
    virtual Result<std::optional<Image>> find(const std::string& reference) const = 0;
    // The image with all its references, and layers nobody else uses. Missing is fine. Layers in use by a pin
    // (below) go when the last pin is released.
    virtual Status remove(const std::string& reference) = 0;
    // Directories of the layers, highest first (as overlayfs lowerdir wants them), pinned for `owner` (a
    // container id) until unpin; pins survive a restart.
    virtual Result<std::vector<std::string>> pin_layers(const std::string& image_id,
                                                        const std::string& owner) = 0;
    virtual Status unpin_layers(const std::string& owner) = 0;
    // Owners of pins, for garbage collection of pins whose container is gone.
    virtual Result<std::vector<std::string>> pin_owners() const = 0;
    virtual Result<DiskUsage> usage() const = 0;
    // Whether all that the store knows is on the disk and nothing else: digests of manifests and configs,
    // size and files of each layer. Changes nothing.
    virtual Result<Verified> verify() const = 0;
    virtual const std::string& root() const = 0;
};

}  // namespace orlop::images
