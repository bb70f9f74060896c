#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/dir.h"
#include "base/spawn.h"
#include "cli/claim.h"
#include "cli/commands.h"
#include "cli/daemons.h"
#include "cli/mounts.h"
#include "cli/node_control.h"
#include "cli/pod_cgroups.h"
#include "cli/pod_teardown.h"
#include "cli/process.h"

namespace orlop::cli {

namespace {

constexpr const char* kCgroupRoot = "/sys/fs/cgroup";
constexpr Nanos kRuntimeStarts = std::chrono::seconds(20);

void say(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

std::vector<std::string> entries_of(const std::string& path) {
    const auto dir = Dir::open(path);
    return dir ? dir->list().value_or({}) : std::vector<std::string>();
}

bool exists(const std::string& path) {
    return access(path.c_str(), F_OK) == 0;
}

// A runtime for the time of the teardown, where the node's own does not run but has left pods.
class BorrowedRuntime {
  public:
    static Result<std::unique_ptr<BorrowedRuntime>> start(const NodePaths& paths) {
        NodeOptions options;
        if (const auto text = read_file(paths.in_run("node.json"))) options = TRY(parse_node_options(*text));
        if (options.bin_dir.empty()) options.bin_dir = TRY(own_directory());
        if (options.cni_conf.empty()) options.cni_conf = paths.cni_conf;
        TRY(claim_node(paths));
        TRY(make_dirs(paths.logs));
        const std::string log = paths.logs + "/runtime.log";
        const UniqueFd out(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
        if (!out) return Error::sys("open " + log);
        Child child = TRY(spawn({.argv = runtime_daemon(paths, options).argv,
                                 .env = current_env(),
                                 .fds = {{out.get(), 1}, {out.get(), 2}}}));
        return std::unique_ptr<BorrowedRuntime>(new BorrowedRuntime(std::move(child)));
    }
    BorrowedRuntime(const BorrowedRuntime&) = delete;
    BorrowedRuntime& operator=(const BorrowedRuntime&) = delete;
    ~BorrowedRuntime() {
        if (const auto id = identify(child_.pid)) (void)terminate(*id, std::chrono::seconds(15));
        (void)wait_child(child_, std::chrono::seconds(1));
    }

  private:
    explicit BorrowedRuntime(Child child) : child_(std::move(child)) {}
    Child child_;
};

// The pods of the node, ended through its runtime; a runtime is started for that if it has to be.
Result<Teardown> end_pods(const NodePaths& paths) {
    const std::string endpoint = "unix://" + paths.runtime_socket;
    std::unique_ptr<BorrowedRuntime>
        borrowed;  // outlives the client: a runtime waits for its clients at its end
    auto client = CriClient::connect(endpoint, std::chrono::milliseconds(200));
    if (!client) {
        if (entries_of(paths.state + "/sandboxes").empty()) return Teardown();
        say("the runtime does not run but has left pods: starting it to end them");
        borrowed = TRY(BorrowedRuntime::start(paths));
        client = TRY(CriClient::connect(endpoint, kRuntimeStarts));
    }
    return end_all_pods(*client, say);
}

bool answers(const NodePaths& paths) {
    return exists(paths.runtime_socket) &&
           CriClient::connect("unix://" + paths.runtime_socket, std::chrono::milliseconds(200)).ok();
}

// Pods that the agent made something for and that have no sandbox (any more). The default node's directory
// may be that of a kubelet, whose pods are none of our business.
void add_earlier_pods(const NodePaths& paths, std::vector<std::string>& uids) {
    if (paths.is_default()) return;
    for (const std::string& uid : entries_of(paths.agent_root + "/pods"))
        if (std::find(uids.begin(), uids.end(), uid) == uids.end()) uids.push_back(uid);
}

// Slices first: systemd removes their directories itself and would make them again otherwise.
void remove_cgroups(const std::vector<std::string>& uids, std::vector<std::string>& problems) {
    const auto stop_slices = [](const std::vector<std::string>& slices) {
        if (slices.empty()) return;
        std::vector<std::string> argv = {"/usr/bin/systemctl", "stop"};
        argv.insert(argv.end(), slices.begin(), slices.end());
        // What is not there is no problem; what stays is found below.
        (void)run_command({.argv = argv, .env = current_env()}, "", std::chrono::seconds(60));
    };
    if (systemd_is_pid1() && exists("/usr/bin/systemctl")) {
        std::vector<std::string> slices;
        for (const std::string& uid : uids)
            for (const std::string& slice : pod_slices(uid)) slices.push_back(slice);
        stop_slices(slices);
        if (!uids.empty()) stop_slices(unused_parent_slices(kCgroupRoot));
    }
    for (const std::string& path : remove_pod_cgroups(kCgroupRoot, uids).in_use)
        problems.push_back("cgroup " + path + " is still in use");
}

// The agent unmounts the volumes of a pod that ends; it was stopped before these were, so this is left to us.
void unmount_volumes(const NodePaths& paths, const std::vector<std::string>& uids,
                     std::vector<std::string>& problems) {
    std::vector<std::string> dirs;
    for (const std::string& uid : uids) dirs.push_back(paths.agent_root + "/pods/" + uid);
    const auto mounts = current_mounts_below(dirs);
    for (const std::string& mount : mounts.value_or({})) {
        if (umount2(mount.c_str(), UMOUNT_NOFOLLOW) == 0) {
            say("unmounted the volume " + mount);
        } else {
            problems.push_back(Error::sys("unmount " + mount).what());
        }
    }
}

void report_leftovers(const NodePaths& paths, const Teardown& pods, std::vector<std::string>& problems) {
    for (const std::string& mount : current_mounts_below({paths.run, paths.state}).value_or({})) {
        // The directory itself may be a filesystem of its own: the machine's, not the node's.
        if (mount != paths.run && mount != paths.state) problems.push_back("mount " + mount + " is left");
    }
    for (const std::string& netns : pods.netns)
        if (exists(netns)) problems.push_back("network namespace " + netns + " is left");
}

Status purge(const NodePaths& paths) {
    for (const std::string& path : {paths.state, paths.pod_logs, paths.run})
        TRY(purge_dir(path, paths.name).under("purge"));
    say("removed " + paths.state + ", " + paths.pod_logs + " and " + paths.run);
    return ok();
}

}  // namespace

Result<int> down(const Common& common, const DownOptions& options) {
    if (geteuid() != 0) return Error::precondition("run this as root: a node is root's");
    const NodePaths paths = common.paths();
    const auto control = make_control(paths);
    const bool ran = TRY(control->running()) || answers(paths);
    if (ran) say("stopping the node \"" + paths.name + "\"");
    TRY(control->stop_agent().under("agent"));

    Teardown pods;
    std::vector<std::string> problems;
    if (!options.keep_pods) {
        pods = TRY(end_pods(paths).under("pods"));
        problems = pods.errors;
        add_earlier_pods(paths, pods.uids);
    }
    TRY(control->stop());
    if (!options.keep_pods) {
        remove_cgroups(pods.uids, problems);
        unmount_volumes(paths, pods.uids, problems);
        report_leftovers(paths, pods, problems);
    }
    if (options.purge && problems.empty()) TRY(purge(paths));
    for (const std::string& problem : problems) std::fprintf(stderr, "orlop: %s\n", problem.c_str());
    if (!problems.empty()) return 1;
    if (!ran && pods.pods == 0) {
        say("nothing was running of the node \"" + paths.name + "\"");
    } else {
        say("the node \"" + paths.name + "\" is down" + (options.keep_pods ? ", its pods go on" : ""));
    }
    return 0;
}

}  // namespace orlop::cli
