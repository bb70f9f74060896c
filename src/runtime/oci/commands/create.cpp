#include "runtime/oci/commands.h"
#include "runtime/oci/new_container.h"

namespace orlop::oci {

Result<int> create_command(const Call& call) {
    const RunOptions options = TRY(parse_create(call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    TRY(make_container(call.settings, options, {.gated = true, .detached = true}).under("create failed"));
    return 0;
}

}  // namespace orlop::oci
