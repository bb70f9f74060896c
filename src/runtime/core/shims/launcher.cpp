#include "runtime/core/shims/launcher.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/dir.h"
#include "base/spawn.h"

namespace orlop::core {

namespace {

constexpr size_t kLogTail = 2000;

class SpawningLauncher final : public ShimLauncher {
  public:
    SpawningLauncher(std::string program, Nanos timeout) : program_(std::move(program)), timeout_(timeout) {}

    Status launch(const std::string& dir, const std::string& sandbox_id) override {
        Dir home = TRY(Dir::make(dir, 0700));
        // Not our own stderr: the shim outlives us, and must not hold our pipe to the journal open.
        UniqueFd log = TRY(home.open_file("shim.log", O_WRONLY | O_CREAT | O_APPEND, 0600));
        SpawnSpec spec{.argv = {program_, "--dir", dir, "--id", sandbox_id},
                       .env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                       .fds = {{log.get(), 2}},
                       .new_session = true};
        Child child = TRY(spawn(spec).under("start " + program_));
        auto status = wait_child(child, timeout_);
        if (!status) {
            kill(child.pid, SIGKILL);
            (void)wait_child(child, std::chrono::seconds(1));
            return std::move(status).error().under("wait for " + program_);
        }
        if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return ok();
        return Error::failed(program_ + " did not start" + said(home));
    }

  private:
    static std::string said(const Dir& home) {
        std::string log = home.read("shim.log").value_or("");
        while (log.ends_with('\n')) log.pop_back();
        if (log.size() > kLogTail) log = log.substr(log.size() - kLogTail);
        return log.empty() ? "" : ": " + log;
    }

    std::string program_;
    Nanos timeout_;
};

}  // namespace

std::unique_ptr<ShimLauncher> make_shim_launcher(std::string program, Nanos timeout) {
    return std::make_unique<SpawningLauncher>(std::move(program), timeout);
}

}  // namespace orlop::core
