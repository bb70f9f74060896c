#include "runtime/core/shims/exit_files.h"

#include "base/dir.h"

namespace orlop::core {

std::vector<shim::Exit> read_exit_files(const std::string& shim_dir) {
    std::vector<shim::Exit> exits;
    auto dir = Dir::open(shim_dir + "/exits");
    if (!dir) return exits;
    auto names = dir->list();
    if (!names) return exits;
    for (const std::string& name : *names) {
        auto bytes = dir->read(name, shim::kMaxPacket);
        if (!bytes) continue;
        auto exit = shim::parse_exit_record(*bytes);
        if (exit && exit->container == name) exits.push_back(std::move(*exit));
    }
    return exits;
}

}  // namespace orlop::core
