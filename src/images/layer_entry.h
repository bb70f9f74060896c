// One entry of a layer's tar as we understand it: names checked, whiteouts recognized. Pure.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

struct archive_entry;

namespace orlop::images {

struct UnpackLimits {
    uint64_t entries = 1'000'000;
    size_t path = 4095;            // PATH_MAX without its NUL
    size_t depth = 256;            // path components
    uint64_t bytes = 64ull << 30;  // of the uncompressed tar, and of each file in it
};

enum class EntryKind {
    File,
    Directory,
    Symlink,
    HardLink,
    CharDevice,
    BlockDevice,
    Fifo,
    Whiteout,  // ".wh.X": path is X (image-spec layer.md, "Whiteouts")
    Opaque,    // ".wh..wh..opq": path is its directory
    Ignored,   // the other ".wh..wh.*": aufs's own bookkeeping
};

struct LayerEntry {
    EntryKind kind = EntryKind::Ignored;
    std::string path;  // below the layer's root, clean; "" is the root
    std::string link;  // HardLink: as path; Symlink: verbatim
    mode_t mode = 0;   // permission bits
    uid_t uid = 0;
    gid_t gid = 0;
    dev_t device = 0;
    timespec mtime{};
    uint64_t size = 0;
    // Of the kinds that mean the same on every host: user.*, security.capability, POSIX ACLs.
    std::vector<std::pair<std::string, std::string>> xattrs;
};

// Makes "./a//b/" and "/a/b" into "a/b". Refuses "..", and what is longer or deeper than the limits.
Result<std::string> clean_path(std::string_view raw, const UnpackLimits& limits);

// Whether an extended attribute belongs into a layer.
bool keep_xattr(std::string_view name);

Result<LayerEntry> translate_entry(archive_entry* entry, const UnpackLimits& limits);

}  // namespace orlop::images
