#include <algorithm>
#include <array>

#include "runtime/oci/commands.h"
#include "runtime/oci/host.h"
#include "runtime/oci/status.h"

namespace orlop::oci {

namespace {

struct Row {
    Record record;
    State state;
    std::string owner;
};

// A container that is deleted while we look is left out; a broken one is told of.
std::vector<Row> rows(const Settings& settings, const std::vector<Id>& ids,
                      const cgroups::Hierarchies& hierarchies) {
    std::vector<Row> out;
    for (const Id& id : ids) {
        const auto dir = ContainerDir::open(settings.root, id);
        if (!dir) continue;
        auto record = dir->record();
        if (!record) {
            if (!dir->in_use())
                settings.log.warning("load container " + id.str() + ": " + record.error().what());
            continue;
        }
        const State state = state_of(*dir, *record, hierarchies);
        out.push_back({*std::move(record), state, user_name(dir->owner())});
    }
    return out;
}

using Cells = std::array<std::string, 6>;

std::string table(const std::vector<Row>& rows) {
    std::vector<Cells> lines{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
    for (const Row& row : rows) {
        const pid_t pid = row.state == State::Stopped ? 0 : row.record.pid;
        lines.push_back({row.record.id, std::to_string(pid), std::string(name_of(row.state)),
                         row.record.bundle, row.record.created, row.owner});
    }
    constexpr size_t kNarrowest = 12;
    constexpr size_t kGap = 3;
    std::array<size_t, 6> widths{};
    for (size_t column = 0; column < widths.size(); ++column) {
        for (const Cells& cells : lines) {
            widths[column] = std::max({widths[column], cells[column].size() + kGap, kNarrowest});
        }
    }
    std::string out;
    for (Cells& cells : lines) {
        for (size_t column = 0; column + 1 < cells.size(); ++column) {
            cells[column].resize(widths[column], ' ');
            out += cells[column];
        }
        out += cells.back() + "\n";
    }
    return out;
}

std::string json(const std::vector<Row>& rows) {
    if (rows.empty()) return "null";
    std::string out;
    for (const Row& row : rows) {
        out += (out.empty() ? "[" : ",") + state_for_people(row.record, row.state, row.owner, -1);
    }
    return out + "]";
}

}  // namespace

Result<int> list_command(const Call& call) {
    const ListOptions options = TRY(parse_list(call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    const std::vector<Id> ids = TRY(list_containers(call.settings.root));
    if (options.quiet) {
        std::string out;
        for (const Id& id : ids) out += id.str() + "\n";
        TRY(print(out));
        return 0;
    }
    const auto found = rows(call.settings, ids, TRY(cgroups::detect_any()));
    TRY(print(options.json ? json(found) : table(found)));
    return 0;
}

}  // namespace orlop::oci
