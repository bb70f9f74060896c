#include "runtime/oci/log.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/dir.h"

namespace orlop::oci {

namespace {

std::string quoted(std::string_view text) {
    const nlohmann::json json = text;
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string log_line(bool json, std::string_view level, std::string_view message, std::string_view time) {
    if (json) {
        return "{\"level\":" + quoted(level) + ",\"msg\":" + quoted(message) + ",\"time\":" + quoted(time) +
               "}\n";
    }
    return "time=" + quoted(time) + " level=" + std::string(level) + " msg=" + quoted(message) + "\n";
}

// A log that cannot be written is no reason to fail: what matters goes to stderr as well.
void Log::append(std::string_view level, std::string_view message) const {
    const std::string line = log_line(options_.json, level, message, rfc3339_nano(SystemClock().wall()));
    if (to_stderr()) {
        (void)write_all(STDERR_FILENO, line);
        return;
    }
    // Opened when there is something to say: most runs say nothing.
    UniqueFd file(open(options_.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (file) (void)write_all(file.get(), line);
}

void Log::error(std::string_view message) const {
    if (to_stderr() && !options_.json) {
        (void)write_all(STDERR_FILENO, "orlop-oci: " + std::string(message) + "\n");
        return;
    }
    append("error", message);
    // As runc: who named a log shows what is on stderr with the runtime's name of his own.
    if (!to_stderr()) (void)write_all(STDERR_FILENO, std::string(message) + "\n");
}

void Log::warning(std::string_view message) const {
    append("warning", message);
}

void Log::debug(std::string_view message) const {
    if (options_.verbose) append("debug", message);
}

}  // namespace orlop::oci
