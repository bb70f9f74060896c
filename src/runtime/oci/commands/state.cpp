#include "runtime/oci/commands.h"
#include "runtime/oci/status.h"

namespace orlop::oci {

Result<int> state_command(const Call& call) {
    const IdOptions options = TRY(parse_id_only("state", "Shows the state of a container.", call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    const ContainerDir dir = TRY(ContainerDir::open(call.settings.root, TRY(Id::parse(options.id))));
    const Record record = TRY(dir.record());
    const State state = state_of(dir, record, TRY(cgroups::detect_any()));
    TRY(print(state_for_people(record, state, "", 2) + "\n"));
    return 0;
}

}  // namespace orlop::oci
