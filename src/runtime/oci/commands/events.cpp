#include "base/event_loop.h"
#include "runtime/oci/commands.h"
#include "runtime/oci/stats.h"
#include "runtime/oci/status.h"

namespace orlop::oci {

namespace {

class Stream {
  public:
    Stream(EventLoop& loop, const cgroups::Cgroup& cgroup, const EventsOptions& options)
        : loop_(loop), cgroup_(cgroup), options_(options) {}

    Status run(const ProcessHandle& first) {
        first_ = &first;
        Watch gone;
        if (first.pollable() >= 0) gone = TRY(loop_.add_pidfd(first.pollable(), [this] { loop_.stop(); }));
        cgroups::OomWatch oom =
            TRY(cgroups::OomWatch::make(loop_, cgroup_, [this] { tell(oom_event(options_.id)); }));
        schedule();
        TRY(loop_.run());
        return std::move(result_);
    }

  private:
    void schedule() {
        timer_ = loop_.add_timer_in(options_.interval, [this] {
            // A kernel without pidfds does not tell of the end.
            if (first_->pollable() < 0 && first_->wait_end(Nanos(0))) return loop_.stop();
            tell(stats_event(options_.id, cgroup_));
            schedule();
        });
    }
    void tell(const std::string& line) {
        result_ = print(line);
        if (!result_) loop_.stop();
    }

    EventLoop& loop_;
    const ProcessHandle* first_ = nullptr;
    const cgroups::Cgroup& cgroup_;
    const EventsOptions& options_;
    Watch timer_;
    Status result_;
};

}  // namespace

Result<int> events_command(const Call& call) {
    const EventsOptions options = TRY(parse_events(call.arguments));
    if (!options.help.empty()) return print_help(options.help);
    const ContainerDir dir = TRY(ContainerDir::open(call.settings.root, TRY(Id::parse(options.id))));
    const Record record = TRY(dir.record());
    const auto hierarchies = TRY(cgroups::detect_any());
    const ProcessHandle first = open_first_process(record);
    if (!first) return Error::precondition("container with id " + options.id + " is not running");
    const cgroups::Cgroup cgroup(hierarchies, record.cgroup.path);
    if (options.stats) {
        TRY(print(stats_event(options.id, cgroup)));
        return 0;
    }
    const auto loop = TRY(EventLoop::make());
    TRY(Stream(*loop, cgroup, options).run(first));
    return 0;
}

}  // namespace orlop::oci
