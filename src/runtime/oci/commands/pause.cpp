#include "runtime/oci/commands.h"
#include "runtime/oci/status.h"

namespace orlop::oci {

namespace {

struct Found {
    ContainerDir dir;
    Record record;
    cgroups::Hierarchies hierarchies;
    State state;
};

Result<Found> find(const Call& call, const std::string& id) {
    ContainerDir dir = TRY(ContainerDir::open(call.settings.root, TRY(Id::parse(id))));
    TRY(dir.lock(kLockTimeout));
    Record record = TRY(dir.record());
    auto hierarchies = TRY(cgroups::detect_any());
    const State state = state_of(dir, record, hierarchies);
    return Found{std::move(dir), std::move(record), std::move(hierarchies), state};
}

}  // namespace

Result<int> pause_command(const Call& call) {
    const IdOptions options =
        TRY(parse_id_only("pause", "Suspends a container's processes.", call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    const Found found = TRY(find(call, options.id));
    if (found.state != State::Running && found.state != State::Created) {
        return Error::precondition("container not running or created: " + std::string(name_of(found.state)));
    }
    TRY(cgroups::Cgroup(found.hierarchies, found.record.cgroup.path).freeze(kKillTimeout));
    return 0;
}

Result<int> resume_command(const Call& call) {
    const IdOptions options = TRY(parse_id_only("resume", "Lets a paused container go on.", call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    const Found found = TRY(find(call, options.id));
    if (found.state != State::Paused) return Error::precondition("container not paused");
    TRY(cgroups::Cgroup(found.hierarchies, found.record.cgroup.path).thaw(kKillTimeout));
    return 0;
}

}  // namespace orlop::oci
