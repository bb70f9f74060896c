// Which images may be pulled: containers-policy.json(5), of which "accept" and "reject" are understood. Where
// a signature is asked for, the image is refused.
#pragma once

#include <string>
#include <string_view>

#include "images/store.h"

namespace orlop::registry {

// In the text of an error: a policy forbids the image. The kubelet looks for this word.
inline constexpr const char* kSignature = "SignatureValidationFailed";

// Pure. Precondition with kSignature if `json` forbids the image, Invalid if it is no policy.
Status check_policy(std::string_view json, const images::Reference& image);

// `file` as it is now; everything is accepted if it is not there ("" = none).
Status check_policy_file(const std::string& file, const images::Reference& image);

}  // namespace orlop::registry
