#include <sys/resource.h>

#include <algorithm>

#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

// An environment under construction: a name keeps its place, its last value wins.
class Environment {
  public:
    void set(const std::string& name, std::string_view value) {
        std::string entry = name + "=" + std::string(value);
        const auto old = find(name);
        if (old == entries_.end()) {
            entries_.push_back(std::move(entry));
        } else {
            *old = std::move(entry);
        }
    }
    void unset(const std::string& name) {
        if (const auto old = find(name); old != entries_.end()) entries_.erase(old);
    }
    std::vector<std::string> take() { return std::move(entries_); }

  private:
    std::vector<std::string>::iterator find(const std::string& name) {
        const std::string start = name + "=";
        return std::find_if(entries_.begin(), entries_.end(),
                            [&](const std::string& entry) { return entry.starts_with(start); });
    }
    std::vector<std::string> entries_;
};

// Values may hold newlines (certificates, scripts), but the home directory gets into passwd files
// (CVE-2022-4318).
Status check_variable(const std::string& field, const std::string& name, std::string_view value) {
    TRY(check_plain(field, name));
    if (name.empty()) return Error::invalid(field + ": a variable without a name");
    if (name.find('=') != std::string::npos) {
        return Error::invalid(field + ": \"=\" in the name \"" + printable(name) + "\"");
    }
    const std::string of = field + " (" + printable(name) + ")";
    return name == "HOME" ? check_plain(of, value) : check_no_nul(of, value);
}

}  // namespace

Result<std::vector<std::string>> plan_args(const cri::ContainerConfig& config,
                                           const images::ImageConfig& image) {
    std::vector<std::string> args(config.command().begin(), config.command().end());
    // [""] is how a Dockerfile takes back the entrypoint of its base image.
    if (args.empty() && image.entrypoint != std::vector<std::string>{""}) args = image.entrypoint;
    args.insert(args.end(), config.args().begin(), config.args().end());
    // The image's arguments belong to the image's entrypoint: either one replaces them.
    if (config.command().empty() && config.args().empty()) {
        args.insert(args.end(), image.cmd.begin(), image.cmd.end());
    }
    if (args.empty()) return Error::invalid("command: neither the container nor its image has one");
    if (args.front().empty()) return Error::invalid("command[0]: an empty program name");
    for (size_t i = 0; i < args.size(); ++i) {
        TRY(check_no_nul(element("command and args", static_cast<int>(i)), args[i]));
    }
    return args;
}

Result<std::vector<std::string>> plan_env(const ContainerRequest& request, const NodeFacts& facts) {
    Environment env;
    env.set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    if (request.config.tty()) env.set("TERM", "xterm");
    const std::string& hostname =
        request.sandbox.hostname().empty() ? facts.hostname : request.sandbox.hostname();
    if (!hostname.empty()) {
        TRY(check_plain("hostname", hostname));
        env.set("HOSTNAME", hostname);
    }
    for (const std::string& entry : request.image.config.env) {
        const size_t equals = entry.find('=');
        // Images say "without this variable" by its name alone.
        if (equals == std::string::npos) {
            env.unset(entry);
            continue;
        }
        const std::string name = entry.substr(0, equals);
        TRY(check_variable("the image's env", name, std::string_view(entry).substr(equals + 1)));
        env.set(name, std::string_view(entry).substr(equals + 1));
    }
    for (int i = 0; i < request.config.envs_size(); ++i) {
        const cri::KeyValue& variable = request.config.envs(i);
        TRY(check_variable(element("envs", i), variable.key(), variable.value()));
        env.set(variable.key(), variable.value());
    }
    return env.take();
}

Result<std::string> plan_cwd(const cri::ContainerConfig& config, const images::ImageConfig& image) {
    if (!config.working_dir().empty()) return clean_path("working_dir", config.working_dir());
    if (!image.working_dir.empty()) return clean_path("the image's working directory", image.working_dir);
    return "/";
}

std::optional<int32_t> plan_oom_score(const cri::LinuxContainerConfig& config, const NodeFacts& facts) {
    // proc(5): -1000..1000. Lowering it needs CAP_SYS_RESOURCE; a start that works beats a start that fails.
    const auto wanted =
        static_cast<int32_t>(std::clamp<int64_t>(config.resources().oom_score_adj(), -1000, 1000));
    return facts.can_lower_oom_score ? wanted : std::max(wanted, facts.oom_score_adj);
}

std::vector<launch::Rlimit> plan_rlimits(const NodeFacts& facts) {
    // systemd's default for services: programs that need more raise it themselves, and those that close every
    // possible descriptor stay fast.
    constexpr uint64_t kSoftFiles = 1024;
    std::vector<launch::Rlimit> limits = facts.default_rlimits;
    const bool given = std::any_of(limits.begin(), limits.end(),
                                   [](const launch::Rlimit& l) { return l.resource == RLIMIT_NOFILE; });
    if (given || facts.nofile_hard <= 0) return limits;
    const auto hard = static_cast<uint64_t>(facts.nofile_hard);
    limits.push_back({RLIMIT_NOFILE, std::min(kSoftFiles, hard), hard});
    return limits;
}

}  // namespace orlop::plan
