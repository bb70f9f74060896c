// What an import shows while it runs. Pure.
#pragma once

#include <string>
#include <vector>

#include "orlop/v1/node.pb.h"

namespace orlop::cli {

class ImportProgressLines {
  public:
    // On a terminal one line a layer with a bar; otherwise only what has begun, one line each.
    explicit ImportProgressLines(bool bars) : bars_(bars) {}
    std::vector<std::string> after(const orlop::v1::ImportProgress& progress);

  private:
    std::string text_of(const orlop::v1::ImportProgress& progress) const;

    bool bars_;
    std::vector<std::string> keys_;  // stage and layer, in the order they came
    std::vector<std::string> lines_;
};

// "imported docker.io/library/busybox:1 (0123456789ab)".
std::vector<std::string> imported_lines(const orlop::v1::ImportProgress& last);

}  // namespace orlop::cli
