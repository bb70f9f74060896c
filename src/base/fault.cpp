#include "base/fault.h"

#include <signal.h>

#include <cstdlib>

namespace orlop {

#ifdef ORLOP_FAULTS
void fault_point(std::string_view name) {
    const char* wanted = std::getenv("ORLOP_FAULT");
    if (wanted != nullptr && name == wanted) raise(SIGKILL);
}
#else
void fault_point(std::string_view) {}
#endif

}  // namespace orlop
