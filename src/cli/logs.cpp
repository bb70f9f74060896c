#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/agent_client.h"
#include "cli/commands.h"
#include "cli/cri_client.h"
#include "cli/log_files.h"
#include "cli/log_reader.h"

namespace orlop::cli {

namespace {

constexpr Nanos kStillThere = std::chrono::seconds(2);  // how often a silent container is asked for

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

// The suffix of static pods: the agent's node name, else what it would be by default.
std::string node_name(const NodePaths& paths) {
    const auto agent = agent_status(paths.agent_socket, std::chrono::seconds(1));
    if (agent && !agent->node.empty()) return agent->node;
    char name[256] = {};
    gethostname(name, sizeof name - 1);
    std::string out = name;
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

Result<LoggedContainer> find_container(const Common& common, const LogsOptions& options) {
    auto known = logged_containers(common.runtime_endpoint());
    const bool runtime_answers = known.ok();
    if (!known && known.error().kind() != Kind::Unavailable) return known.error();
    if (!known) {
        known = logged_containers_on_disk(common.paths().pod_logs);
        if (!known) {
            return Error::unavailable("no runtime answers on " + common.runtime_endpoint() +
                                      ", and there are no logs: " + known.error().what());
        }
    }
    LoggedContainer out = TRY(choose_container(*known, options, node_name(common.paths())));
    if (runtime_answers) {
        const CriClient client = TRY(CriClient::connect(common.runtime_endpoint(), kStillThere));
        out.path = TRY(client.container_status(out.id)).log_path();
        if (out.path.empty())
            return Error::precondition("the container \"" + out.name + "\" was made without a log file");
    }
    return out;
}

bool still_runs(const std::string& endpoint, const std::string& id) {
    const auto client = CriClient::connect(endpoint, kStillThere);
    // Without a runtime nobody knows; the shim goes on writing.
    if (!client) return true;
    const auto status = client->container_status(id);
    return status ? status->state() == cri::CONTAINER_RUNNING || status->state() == cri::CONTAINER_CREATED
                  : status.error().kind() != Kind::NotFound;
}

// Until the container ends, or forever when only its file is known.
Status follow(LogReader& reader, const LoggedContainer& container, const std::string& endpoint) {
    auto loop = TRY(EventLoop::make());
    Status outcome;
    const auto read_on = [&] {
        outcome = reader.read_on();
        if (!outcome) loop->stop();
    };
    // The directory, not the file: rotation puts another file in its place.
    const std::string dir = container.path.substr(0, container.path.rfind('/'));
    const auto watch =
        TRY(InotifyWatch::make(*loop, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE,
                               [&](const InotifyWatch::Event&) { read_on(); }));
    Watch timer;
    std::function<void()> ask = [&] {
        const bool runs = container.id.empty() || still_runs(endpoint, container.id);
        read_on();  // after the question: what it wrote last is in the file by now
        if (!runs) return loop->stop();
        timer = loop->add_timer_in(kStillThere, ask);
    };
    read_on();
    ask();
    TRY(loop->run());
    return outcome;
}

}  // namespace

Result<int> logs(const Common& common, const LogsOptions& options) {
    const LoggedContainer container = TRY(find_container(common, options));
    const std::string path = options.previous ? TRY(previous_log(container)) : container.path;
    auto fd = open_log_at_tail(path, options.tail);
    if (!fd && fd.error().kind() == Kind::NotFound) {
        return Error::not_found("the container \"" + container.name + "\" has no log yet (" + path + ")");
    }
    LogReader reader(path, TRY(std::move(fd)), options.timestamps, print);
    TRY(reader.read_on());
    if (options.follow && !options.previous) TRY(follow(reader, container, common.runtime_endpoint()));
    reader.finish();
    return 0;
}

}  // namespace orlop::cli
