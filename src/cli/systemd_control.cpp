#include <unistd.h>

#include <algorithm>

#include "base/spawn.h"
#include "cli/daemons.h"
#include "cli/node_control.h"
#include "cli/table.h"

namespace orlop::cli {

namespace {

// A daemon under Type=notify has this long to become ready: TimeoutStartSec, 90 s by default.
constexpr Nanos kSystemctl = std::chrono::seconds(120);

Result<CommandResult> run_tool(std::vector<std::string> argv) {
    // /usr/bin on both families; there is no search in PATH for a root program.
    argv.front() = "/usr/bin/" + argv.front();
    return run_command({.argv = std::move(argv), .env = current_env()}, "", kSystemctl);
}

Status must(std::vector<std::string> argv) {
    const std::string what = argv[0] + " " + (argv.size() > 1 ? argv[1] : "");
    const CommandResult result = TRY(run_tool(std::move(argv)));
    if (result.succeeded()) return ok();
    std::string text = result.err.empty() ? result.out : result.err;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return Error::failed(what + ": " + printable(text));
}

class SystemdControl final : public NodeControl {
  public:
    explicit SystemdControl(const NodePaths& paths) : paths_(paths) {}

    Result<bool> running() override { return TRY(active("runtime")) && TRY(active("agent")); }

    Status start(const NodeOptions& options) override {
        for (const DaemonSpec& daemon : {runtime_daemon(paths_, options), agent_daemon(paths_, options)}) {
            if (TRY(active(daemon.name))) continue;
            const std::string unit = unit_name(paths_, daemon.name);
            // A unit that failed before keeps its name until it is told to forget.
            (void)run_tool({"systemctl", "reset-failed", unit});
            const Status started =
                installed(unit) ? must({"systemctl", "start", unit}) : must(systemd_run(paths_, daemon));
            if (!started) {
                (void)run_tool({"systemctl", "stop", unit});
                return Error(started.error()).under(daemon.name + " (" + log_hint(daemon.name) + ")");
            }
        }
        return ok();
    }

    Status stop_agent() override { return stop_unit("agent"); }

    Status stop() override {
        TRY(stop_unit("agent"));
        return stop_unit("runtime");
    }

    std::string trouble(const std::string& daemon) override {
        const auto is = active(daemon);
        return !is || *is ? "" : "the " + daemon + " is not active: " + log_hint(daemon) + " says why";
    }

    std::string log_hint(const std::string& daemon) const override {
        return "journalctl -u " + unit_name(paths_, daemon);
    }

  private:
    bool installed(const std::string& unit) const {
        if (!paths_.is_default()) return false;
        const auto there = [&unit](const char* dir) { return access((dir + unit).c_str(), F_OK) == 0; };
        return there("/etc/systemd/system/") || there("/usr/lib/systemd/system/") ||
               there("/lib/systemd/system/");
    }

    // A daemon that systemd is starting again counts: it is being taken care of.
    Result<bool> active(const std::string& daemon) {
        const CommandResult result = TRY(
            run_tool({"systemctl", "show", "--property=ActiveState", "--value", unit_name(paths_, daemon)}));
        return result.out.starts_with("active") || result.out.starts_with("activating") ||
               result.out.starts_with("reloading");
    }

    Status stop_unit(const std::string& daemon) {
        if (!TRY(active(daemon))) return ok();
        return must({"systemctl", "stop", unit_name(paths_, daemon)});
    }

    NodePaths paths_;
};

}  // namespace

std::unique_ptr<NodeControl> make_systemd_control(const NodePaths& paths) {
    return std::make_unique<SystemdControl>(paths);
}

}  // namespace orlop::cli
