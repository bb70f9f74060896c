#include "netns/cni_exec.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "base/spawn.h"
#include "netns/cni_result.h"

namespace orlop::netns {

namespace {

constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string joined(const std::vector<std::string>& parts, const char* separator) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : separator) + part;
    return text;
}

std::string seconds(Nanos time) {
    const auto ms = std::chrono::duration_cast<Millis>(time).count();
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace

Result<std::string> find_plugin(const std::vector<std::string>& bin_dirs, const std::string& type) {
    for (const std::string& dir : bin_dirs) {
        const std::string path = dir + "/" + type;
        std::error_code error;
        if (std::filesystem::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0) return path;
    }
    return Error::not_found("CNI plugin \"" + type + "\" is not in " + joined(bin_dirs, ", "));
}

std::vector<std::string> plugin_env(const std::vector<std::string>& bin_dirs, const PluginRun& run) {
    const char* path = secure_getenv("PATH");
    return {"CNI_COMMAND=" + run.command,
            "CNI_CONTAINERID=" + run.container_id,
            "CNI_NETNS=" + run.netns,
            "CNI_IFNAME=" + run.ifname,
            "CNI_ARGS=" + run.args,
            "CNI_PATH=" + joined(bin_dirs, ":"),
            std::string("PATH=") + (path != nullptr && *path != '\0' ? path : kDefaultPath)};
}

Result<PluginAnswer> run_plugin(const std::vector<std::string>& bin_dirs, const PluginRun& run,
                                Nanos timeout) {
    SpawnSpec spec;
    spec.argv = {TRY(find_plugin(bin_dirs, run.type))};
    spec.env = plugin_env(bin_dirs, run);
    auto ended = run_command(std::move(spec), run.input, timeout);
    if (!ended && ended.error().kind() == Kind::TimedOut)
        return Error::timed_out("no answer within " + seconds(timeout) + ", killed");
    if (!ended) return std::move(ended).error();
    PluginAnswer answer;
    answer.out = std::move(ended->out);
    if (ended->succeeded()) return answer;
    PluginError error = parse_plugin_error(answer.out, ended->err, ended->status);
    answer.failed = true;
    answer.code = error.code;
    answer.complaint = std::move(error.text);
    return answer;
}

}  // namespace orlop::netns
