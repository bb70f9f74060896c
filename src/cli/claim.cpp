#include "cli/claim.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/dir.h"

namespace orlop::cli {

namespace {

Status check_owner(const std::string& path) {
    struct stat st;
    if (lstat(path.c_str(), &st) != 0) return Error::sys(path);
    if (!S_ISDIR(st.st_mode)) return Error::precondition(path + " is not a directory");
    if (st.st_uid != geteuid()) {
        return Error::precondition(path + " belongs to user " + std::to_string(st.st_uid) +
                                   ": it is not the directory of a node");
    }
    return ok();
}

bool marked(const Dir& dir, const std::string& node) {
    const auto mark = dir.read(kMarker, 4096);
    return mark && *mark == node + "\n";
}

}  // namespace

Status claim_dir(const std::string& path, const std::string& node, const std::vector<std::string>& allowed) {
    TRY(make_dirs(path, 0755));
    TRY(check_owner(path));
    const Dir dir = TRY(Dir::open(path));
    if (marked(dir, node)) return ok();
    for (const std::string& name : TRY(dir.list())) {
        if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
            return Error::precondition(path + " is in use by something that is not this node (it has " +
                                       name + "): take another --name");
        }
    }
    return dir.write_atomic(kMarker, node + "\n", 0644);
}

Status purge_dir(const std::string& path, const std::string& node) {
    struct stat st;
    if (lstat(path.c_str(), &st) != 0 && errno == ENOENT) return ok();
    TRY(check_owner(path));
    {
        const Dir dir = TRY(Dir::open(path));
        if (!marked(dir, node)) {
            return Error::precondition("refusing to remove " + path + ": it has no mark of the node \"" +
                                       node + "\" (" + kMarker + "); remove it by hand if it is garbage");
        }
        // The mark goes last: a removal that is interrupted can be repeated.
        for (const std::string& name : TRY(dir.list()))
            if (name != kMarker) TRY(dir.remove_tree(name).under(path));
        TRY(dir.unlink(kMarker));
    }
    // EBUSY: it is the mount point of a filesystem of its own and stays, empty.
    if (rmdir(path.c_str()) != 0 && errno != ENOENT && errno != EBUSY) return Error::sys("remove " + path);
    return ok();
}

Status claim_node(const NodePaths& paths) {
    if (paths.is_default()) return ok();
    // People put network configuration and manifests there before the first start.
    TRY(claim_dir(paths.state, paths.name, {"cni", "manifests"}));
    // CNI plugins may keep addresses of an earlier run there (host-local's dataDir).
    TRY(claim_dir(paths.run, paths.name, {"cni-ipam"}));
    return claim_dir(paths.pod_logs, paths.name, {});
}

}  // namespace orlop::cli
