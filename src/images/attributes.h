// Owner, mode, times and extended attributes of what lies in a layer.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace orlop::images {

struct Attributes {
    mode_t mode = 0;  // permission bits
    uid_t uid = 0;
    gid_t gid = 0;
    timespec mtime{};
    std::vector<std::pair<std::string, std::string>> xattrs;
};

// Of an open file or directory; the extended attributes are those that keep_xattr() lets through.
Result<Attributes> get_attributes(int fd);
Result<std::vector<std::pair<std::string, std::string>>> get_xattrs(int fd);

// Everything but the times.
Status set_attributes(int fd, const Attributes& attributes);
Status set_times(int fd, const timespec& mtime);
// For what must not be opened: devices, fifos, symbolic links (which have no mode). Sets the time too.
Status set_attributes_at(int parent, const std::string& name, const Attributes& attributes, bool symlink);

}  // namespace orlop::images
