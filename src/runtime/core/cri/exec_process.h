// One command in a running container, as ExecSync and the streaming server start it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/cri/exec_cgroup.h"
#include "runtime/core/parts.h"

namespace orlop::core {

struct ExecCommand {
    std::vector<std::string> argv;
    bool terminal = false;
};
// The command's sides of its streams; one that is empty is /dev/null. All are ignored with a terminal.
struct ExecStreams {
    UniqueFd in, out, err;
};

class ExecProcess {
  public:
    // Returns once the command runs. Precondition: the container does not.
    static Result<std::unique_ptr<ExecProcess>> start(Parts& parts, const ContainerRecord& container,
                                                      const ExecCommand& command, ExecStreams streams);
    ~ExecProcess();
    ExecProcess(const ExecProcess&) = delete;
    ExecProcess& operator=(const ExecProcess&) = delete;

    // The terminal's controlling side, once.
    UniqueFd take_terminal() { return std::move(terminal_); }
    // Readable at its end; then the code, 128+n after signal n. An Error when the shim died first.
    int ended() const { return end_->ready(); }
    std::optional<Result<int32_t>> outcome() const { return end_->outcome(); }
    // SIGKILL to it and all that it started, waited for.
    Status kill(Nanos timeout) const;
    // The same without waiting.
    void kill_soon() const;

  private:
    ExecProcess(Parts& parts, const ContainerRecord& container, std::string id, std::shared_ptr<ExecEnd> end)
        : parts_(parts), sandbox_(container.sandbox), id_(std::move(id)), end_(std::move(end)) {}
    Status launch(const ContainerRecord& container, const ExecCommand& command, ExecStreams streams);

    Parts& parts_;
    std::string sandbox_, id_;
    std::shared_ptr<ExecEnd> end_;
    std::optional<ExecCgroup> cgroup_;
    UniqueFd terminal_;
};

}  // namespace orlop::core
