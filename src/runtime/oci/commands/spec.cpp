#include "runtime/oci/spec/spec.h"
#include "base/dir.h"
#include "runtime/oci/commands.h"

namespace orlop::oci {

Result<int> spec_command(const Call& call) {
    const SpecOptions options = TRY(parse_spec_command(call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    const Dir dir = TRY(Dir::open(options.bundle));
    auto file = dir.open_file("config.json", O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (!file && file.error().kind() == Kind::Exists) {
        return Error(Kind::Exists, "File config.json exists. Remove it first");
    }
    TRY(write_all(TRY(std::move(file)).get(), default_config_json(options.rootless)));
    return 0;
}

}  // namespace orlop::oci
