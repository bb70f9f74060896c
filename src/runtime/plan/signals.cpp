#include <signal.h>

#include <charconv>
#include <optional>

#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

// signal(7). The C library keeps the first two real-time signals for itself: SIGRTMIN is 34 for programs.
constexpr int kRealTimeMin = 34;
constexpr int kRealTimeMax = 64;

struct Name {
    std::string_view text;
    int number;
};

constexpr Name kNames[] = {
    {"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"BUS", SIGBUS},         {"CHLD", SIGCHLD},
    {"CLD", SIGCHLD},  {"CONT", SIGCONT}, {"FPE", SIGFPE},         {"HUP", SIGHUP},
    {"ILL", SIGILL},   {"INT", SIGINT},   {"IO", SIGIO},           {"IOT", SIGABRT},
    {"KILL", SIGKILL}, {"PIPE", SIGPIPE}, {"POLL", SIGIO},         {"PROF", SIGPROF},
    {"PWR", SIGPWR},   {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV},       {"STKFLT", SIGSTKFLT},
    {"STOP", SIGSTOP}, {"SYS", SIGSYS},   {"TERM", SIGTERM},       {"TRAP", SIGTRAP},
    {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},       {"URG", SIGURG},
    {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"VTALRM", SIGVTALRM},   {"WINCH", SIGWINCH},
    {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}, {"RTMIN", kRealTimeMin}, {"RTMAX", kRealTimeMax},
};

std::optional<int> number_of(std::string_view text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// "RTMIN+3", "RTMINPLUS3", "RTMAX-1", "RTMAXMINUS1"
std::optional<int> real_time(std::string_view text) {
    constexpr std::pair<std::string_view, int> kForms[] = {
        {"RTMIN+", 1}, {"RTMINPLUS", 1}, {"RTMAX-", -1}, {"RTMAXMINUS", -1}};
    for (const auto& [start, sign] : kForms) {
        if (!text.starts_with(start)) continue;
        const auto offset = number_of(text.substr(start.size()));
        if (!offset || *offset < 0 || *offset > kRealTimeMax - kRealTimeMin) return std::nullopt;
        return sign > 0 ? kRealTimeMin + *offset : kRealTimeMax - *offset;
    }
    return std::nullopt;
}

// "SIGTERM", "term", "15", "SIGRTMIN+3"
std::optional<int> parse_signal(std::string text) {
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    if (const auto number = number_of(text)) {
        return *number >= 1 && *number <= kRealTimeMax ? number : std::nullopt;
    }
    std::string_view name = text;
    if (name.starts_with("SIG")) name.remove_prefix(3);
    for (const Name& known : kNames) {
        if (name == known.text) return known.number;
    }
    return real_time(name);
}

}  // namespace

Result<int> stop_signal(const cri::ContainerConfig& config, const images::ImageConfig& image) {
    if (config.stop_signal() != cri::SIGNAL_RUNTIME_DEFAULT) {
        constexpr std::string_view kPrefix = "SIGNAL_";
        const std::string name = cri::Signal_Name(config.stop_signal());
        if (name.size() > kPrefix.size()) {
            if (const auto number = parse_signal(name.substr(kPrefix.size()))) return *number;
        }
        return Error::invalid("stop_signal: unknown value " + std::to_string(config.stop_signal()));
    }
    if (image.stop_signal.empty()) return SIGTERM;
    if (const auto number = parse_signal(image.stop_signal)) return *number;
    return Error::invalid("the image's stop signal: \"" + printable(image.stop_signal) + "\" is no signal");
}

}  // namespace orlop::plan
