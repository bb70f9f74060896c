#include <unistd.h>

#include "base/dir.h"
#include "cgroups/container.h"
#include "runtime/oci/commands.h"
#include "runtime/oci/spec/spec.h"
#include "runtime/oci/status.h"

namespace orlop::oci {

namespace {

Result<cgroups::Resources> wanted(const UpdateOptions& options) {
    if (options.resources_file.empty()) return options.resources;
    const std::string json =
        options.resources_file == "-" ? TRY(read_all(STDIN_FILENO)) : TRY(read_file(options.resources_file));
    return parse_resources(json).under("--resources " + options.resources_file);
}

}  // namespace

Result<int> update_command(const Call& call) {
    const UpdateOptions options = TRY(parse_update(call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    const cgroups::Resources resources = TRY(wanted(options));
    ContainerDir dir = TRY(ContainerDir::open(call.settings.root, TRY(Id::parse(options.id))));
    TRY(dir.lock(kLockTimeout));
    const Record record = TRY(dir.record());
    const auto hierarchies = TRY(cgroups::detect_any());
    if (state_of(dir, record, hierarchies) == State::Stopped) {
        return Error::precondition("container not running");
    }
    TRY(cgroups::update_container_cgroup(record.cgroup, call.settings.scope_helper, hierarchies, resources));
    return 0;
}

}  // namespace orlop::oci
