#include "harness/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace orlop::it {

Status Process::start(const std::vector<std::string>& argv, const std::string& log) {
    const UniqueFd out(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!out) return Error::sys("open " + log);
    SpawnSpec spec{.argv = argv, .env = current_env(), .fds = {{out.get(), 1}, {out.get(), 2}}};
    child_ = TRY(spawn(spec));
    return ok();
}

Process::~Process() {
    if (running()) (void)end(SIGKILL, scaled(20));
}

Result<int> Process::end(int signal, std::chrono::seconds limit) {
    if (!running()) return Error::precondition("not running");
    if (::kill(child_.pid, signal) != 0) return Error::sys("kill");
    return wait(limit);
}

Result<int> Process::wait(std::chrono::seconds limit) {
    const int status = TRY(wait_child(child_, limit));
    child_ = Child{};
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool Process::ended() {
    if (running() && wait_child(child_, Nanos(0))) child_ = Child{};
    return !running();
}

Footprint footprint(pid_t pid) {
    Footprint found;
    const std::string proc = "/proc/" + std::to_string(pid);
    std::error_code error;
    found.fds = static_cast<int>(std::distance(std::filesystem::directory_iterator(proc + "/fd", error),
                                               std::filesystem::directory_iterator{}));
    std::ifstream status(proc + "/status");
    std::string line;
    while (std::getline(status, line)) {
        if (line.starts_with("Threads:")) found.threads = std::stoi(line.substr(8));
        if (line.starts_with("VmRSS:")) found.rss_kib = std::stol(line.substr(6));
    }
    return found;
}

Reply run(std::vector<std::string> argv, std::vector<std::string> env, std::chrono::seconds limit) {
    SpawnSpec spec{.argv = std::move(argv), .env = current_env(), .fds = {}};
    spec.env.insert(spec.env.end(), env.begin(), env.end());
    const auto result = run_command(spec, "", limit);
    if (!result) {
        ADD_FAILURE() << spec.argv.front() << ": " << result.error().what();
        return {.code = -1, .out = "", .err = result.error().what()};
    }
    return {.code = result->exit_code(), .out = result->out, .err = result->err};
}

}  // namespace orlop::it
