#include "base/result.h"

#include <cstring>

namespace orlop {

namespace {

Kind kind_of(int errnum) {
    switch (errnum) {
        case ENOENT:
        case ESRCH:
            return Kind::NotFound;
        case EEXIST:
            return Kind::Exists;
        case ETIMEDOUT:
            return Kind::TimedOut;
        case ENOSYS:
            return Kind::Unimplemented;
        default:
            return Kind::Failed;
    }
}

}  // namespace

Error Error::sys(std::string_view what, int errnum) {
    char buffer[128];
    std::string text(what);
    text.append(": ").append(strerror_r(errnum, buffer, sizeof buffer));
    return {kind_of(errnum), std::move(text), errnum};
}

Error Error::under(std::string_view context) && {
    what_.insert(0, ": ").insert(0, context);
    return std::move(*this);
}

Error Error::also(const Error& other) && {
    what_.append("; also: ").append(other.what());
    return std::move(*this);
}

}  // namespace orlop
