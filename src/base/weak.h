// Tests of the tests: an attack test must fail against a build that lacks the defence. `orlop-oci-weak`,
// `orlop-runtime-weak` and `orlop-shim-weak`, built for the attack tests and never installed, are made of the
// sources that call this, compiled with ORLOP_WEAKENED (cmake/OrlopWeak.cmake), and leave out the defences
// that the environment variable ORLOP_WEAKEN names (separated by commas). In every other build this is the
// constant false. For .cpp files only: a header that called it would differ between the sources of one
// program.
#pragma once

#ifdef ORLOP_WEAKENED
#include <cstdlib>
#include <cstring>
#endif

namespace orlop {

#ifdef ORLOP_WEAKENED
inline bool weakened(const char* defence) {
    const char* list = std::getenv("ORLOP_WEAKEN");
    const size_t size = std::strlen(defence);
    while (list != nullptr && *list != '\0') {
        const char* end = std::strchr(list, ',');
        const size_t length = end == nullptr ? std::strlen(list) : static_cast<size_t>(end - list);
        if (length == size && std::strncmp(list, defence, size) == 0) return true;
        list = end == nullptr ? nullptr : end + 1;
    }
    return false;
}
#else
constexpr bool weakened(const char*) {
    return false;
}
#endif

}  // namespace orlop
