// Imports into a StoreState: reads an archive or a tree, unpacks its layers, stores the image.
#pragma once

#include <string>
#include <vector>

#include "images/state.h"
#include "images/store.h"

namespace orlop::images {

// One import at a time for each state; everything else may run beside it.
Result<std::vector<Image>> import_archive(StoreState& state, const std::string& path,
                                          const std::string& reference, const OnProgress& progress);
Result<Image> import_rootfs(StoreState& state, const RootfsImport& request, const OnProgress& progress);

}  // namespace orlop::images
