#include "oci/harness/runtime.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "base/dir.h"

namespace orlop::it {

std::vector<Driver> drivers() {
    if (place().systemd) return {Driver::Cgroupfs, Driver::Systemd};
    return {Driver::Cgroupfs};
}

std::string name_of(Driver driver) {
    return driver == Driver::Systemd ? "systemd" : "cgroupfs";
}

std::string Runtime::kind() {
    const std::string file = place().oci.substr(place().oci.rfind('/') + 1);
    return file == "runc" || file == "crun" ? file : "orlop";
}

std::vector<std::string> Runtime::argv(const std::vector<std::string>& args) const {
    std::vector<std::string> all = wrapper_;
    all.insert(all.end(), {program_, "--root", root_});
    if (driver_ == Driver::Systemd) all.push_back("--systemd-cgroup");
    all.insert(all.end(), args.begin(), args.end());
    return all;
}

Reply Runtime::call(const std::vector<std::string>& args) const {
    return run(argv(args));
}

Result<Child> Runtime::start(const std::vector<std::string>& args, const std::string& log,
                             std::vector<std::pair<int, int>> fds) const {
    const UniqueFd out(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!out) return Error::sys("open " + log);
    SpawnSpec spec{.argv = argv(args), .env = current_env(), .fds = {{out.get(), 1}, {out.get(), 2}}};
    spec.fds.insert(spec.fds.end(), fds.begin(), fds.end());
    return spawn(spec);
}

Reply Runtime::call_logged(const std::vector<std::string>& args, const std::string& log,
                           std::vector<std::pair<int, int>> fds) const {
    const auto child = start(args, log, std::move(fds));
    if (!child) return {.code = -1, .out = "", .err = child.error().what()};
    const auto status = wait_child(*child, scaled(60));
    const auto text = read_file(log);
    Reply reply{.code = -1, .out = "", .err = text ? *text : ""};
    if (status) reply.code = WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
    return reply;
}

}  // namespace orlop::it
