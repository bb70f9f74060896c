// An image archive as a set of named files, wherever they are: a tar (compressed or not) or a directory.
#pragma once

#include <memory>
#include <string>

#include "base/dir.h"
#include "images/stream.h"

namespace orlop::images {

class Source {
  public:
    virtual ~Source() = default;
    virtual bool has(const std::string& name) const = 0;
    // Its length in bytes; NotFound if the source has no such file.
    virtual Result<uint64_t> size(const std::string& name) const = 0;
    // From the beginning; several may be open at a time. It must not outlive the source.
    virtual Result<std::unique_ptr<ByteStream>> open(const std::string& name) const = 0;
};

// A whole small file (a manifest or config), at most kMaxDocument.
Result<std::string> read_document(const Source& source, const std::string& name);

// `scratch` takes the uncompressed copy of a compressed archive: the layers can come in any order, so the
// archive is read more than once. It must outlive the source.
Result<std::unique_ptr<Source>> open_source(const std::string& path, const Dir& scratch);

}  // namespace orlop::images
