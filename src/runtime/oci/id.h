// Names of OCI containers, as runc takes them: they are names of directories and of cgroups too.
#pragma once

#include "base/strong.h"

namespace orlop::oci {

// 1..255 of [A-Za-z0-9_+.-], not starting with "." (such names in the state directory are ours).
struct IdRule {
    static Status check(std::string_view text);
};
using Id = StrongString<IdRule>;

}  // namespace orlop::oci
