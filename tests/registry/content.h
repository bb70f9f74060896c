// An OCI image layout (image-spec, image-layout.md) read as a registry's content. The repository and tag of
// each entry of index.json are its annotation org.opencontainers.image.ref.name, "repository:tag". A digest
// is found in any repository, as in a registry that mounts every blob everywhere.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "message.h"

namespace orlop::test_registry {

class Content {
  public:
    explicit Content(std::string directory) : directory_(std::move(directory)) {}

    // Answers of /v2/NAME/...: read anew each time, so that a test can change the directory.
    Reply manifest(const std::string& repository, const std::string& reference) const;
    Reply blob(const Request& request, const std::string& digest) const;
    Reply tags(const std::string& repository) const;

  private:
    // "repository:tag" -> digest
    std::map<std::string, std::string> references() const;
    std::string path_of(const std::string& digest) const;

    std::string directory_;
};

// "bytes=FIRST-" and "bytes=FIRST-LAST" (RFC 9110 section 14); 416 if nothing of it is there, and the whole
// if it says something else.
void apply_range(const std::string& range, Reply& reply);

}  // namespace orlop::test_registry
