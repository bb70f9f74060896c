#include "runtime/oci/commands.h"
#include "runtime/oci/flags.h"
#include "runtime/oci/spec/spec.h"

namespace orlop::oci {

Result<int> features_command(const Call& call) {
    Flags flags("features", "", "Shows what this runtime can do (runtime-spec features.md).");
    const Words words = TRY(flags.parse(call.arguments, Order::Anywhere));
    if (!words.help.empty()) return print_help(words.help);
    TRY(print(features_json() + "\n"));
    return 0;
}

}  // namespace orlop::oci
