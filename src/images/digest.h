// Content digests as OCI writes them: "sha256:<64 hex>" (image-spec descriptor.md).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/strong.h"

struct evp_md_ctx_st;

namespace orlop::images {

// Only sha256 is accepted; other registered algorithms are Unimplemented.
struct DigestRule {
    static Status check(std::string_view text);
};
using Digest = StrongString<DigestRule>;

// The 64 digits without the algorithm.
std::string hex_of(const Digest& digest);

class Sha256 {
  public:
    Sha256();
    void update(const void* data, size_t size);
    // Ends it; update() must not follow.
    Digest finish();

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Digest sha256_of(std::string_view content);

// image-spec config.md, "Layer ChainID": the identity of a layer together with everything below it.
Digest chain_id(const std::optional<Digest>& below, const Digest& diff_id);

}  // namespace orlop::images
