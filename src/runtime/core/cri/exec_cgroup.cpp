#include "runtime/core/cri/exec_cgroup.h"

#include <unistd.h>

#include "base/dir.h"

namespace orlop::core {

Result<ExecCgroup> ExecCgroup::make(launch::CgroupJoin& join, const std::string& exec_id) {
    if (join.v2_dir.empty()) return ExecCgroup("");
    const Dir container = TRY(Dir::open(join.v2_dir));
    const std::string path = TRY(container.make_dir("exec-" + exec_id)).path();
    join.v2_dir = path;
    return ExecCgroup(path);
}

ExecCgroup::~ExecCgroup() {
    if (!path_.empty()) rmdir(path_.c_str());
}

Status ExecCgroup::kill() const {
    if (path_.empty()) return ok();
    const Dir dir = TRY(Dir::open(path_));
    return dir.write("cgroup.kill", "1");
}

}  // namespace orlop::core
