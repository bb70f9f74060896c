// Unpacks one layer and computes its DiffID on the way.
#pragma once

#include <string>
#include <vector>

#include "base/dir.h"
#include "images/layer_entry.h"
#include "images/stream.h"

namespace orlop::images {

struct UnpackOptions {
    std::vector<std::string> lowers;  // directories of the layers below, highest first
    // Of an image, so that its DiffID is going to be compared. false: a whole root filesystem, which has no
    // whiteouts, and whose truncation nothing else would show.
    bool layer = true;
    UnpackLimits limits;
};

struct Unpacked {
    Digest diff_id;  // sha256 of the uncompressed tar, every byte of it
    bool implied_parents = false;
    bool root_opaque = false;
    std::vector<std::string> from_below = {};  // LayerWriter::from_below
};

// `tar` is not compressed; `into` is an empty directory. On an error the directory is left half written.
Result<Unpacked> unpack_layer(ByteStream& tar, const Dir& into, const UnpackOptions& options);

}  // namespace orlop::images
