// Seccomp profiles as users write them (the OCI runtime-spec's linux.seccomp object, and docker's form of
// it), to filters that the kernel takes. libseccomp does the compiling, which takes milliseconds: hence the
// cache on disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace orlop::seccomp {

struct Filter {
    std::string program;  // struct sock_filter[] as bytes, host byte order
    uint32_t flags =
        0;  // SECCOMP_FILTER_FLAG_* of the profile; NEW_LISTENER when an action is SCMP_ACT_NOTIFY
    std::string listener_path, listener_metadata;
};

// `bounding_capabilities` decides docker's conditional rules; OCI profiles have none.
Result<Filter> compile_profile(std::string_view json, uint64_t bounding_capabilities);

// As compile_profile, with the result kept in `directory` (made if missing, 0700) under a hash of the input;
// a file counts only if the whole input that it was made from is the same. A cache that cannot be used is no
// error.
Result<Filter> compile_profile_cached(std::string_view json, uint64_t bounding_capabilities,
                                      const std::string& directory);

}  // namespace orlop::seccomp
