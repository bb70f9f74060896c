#include <cstdio>

#include "cli/commands.h"
#include "cli/node_view.h"

namespace orlop::cli {

Result<int> status(const Common& common) {
    const auto view = look_at_node(common);
    if (!view && view.error().kind() == Kind::Unavailable) {
        if (!common.endpoint.empty()) return view.error();
        return Error::unavailable("the node \"" + common.node + "\" does not run: start it with orlop up" +
                                  (common.paths().is_default() ? "" : " --name " + common.node));
    }
    if (!view) return view.error();
    const Nanos now = SystemClock().wall();
    std::fputs((common.json ? node_json(*view, now) : node_text(*view, now)).c_str(), stdout);
    return 0;
}

}  // namespace orlop::cli
