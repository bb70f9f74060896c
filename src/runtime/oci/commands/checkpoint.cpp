#include "runtime/oci/commands.h"

namespace orlop::oci {

Result<int> checkpoint_command(const Call&) {
    return Error::unimplemented("checkpoint is not supported");
}

Result<int> restore_command(const Call&) {
    return Error::unimplemented("restore is not supported");
}

}  // namespace orlop::oci
