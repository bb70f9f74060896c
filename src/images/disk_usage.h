// What a tree takes on the disk.
#pragma once

#include <string>

#include "base/dir.h"
#include "images/store.h"

namespace orlop::images {

// st_blocks and inodes of `name` below `parent` and everything in it; hard links count once, mounts are not
// entered, what vanishes meanwhile counts nothing.
Result<DiskUsage> measure_tree(const Dir& parent, const std::string& name);
// Of one file or directory without what is in it.
Result<DiskUsage> measure_one(const Dir& parent, const std::string& name);

}  // namespace orlop::images
