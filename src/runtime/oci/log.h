// Where errors go: a log file that podman, containerd and CRI-O read (--log, --log-format), and stderr.
#pragma once

#include <string>
#include <string_view>

namespace orlop::oci {

struct LogOptions {
    std::string path;      // "" = stderr only
    bool json = false;     // one object a line: level, msg, time
    bool verbose = false;  // debug messages too
};

// One line, with its newline; `time` is RFC 3339.
std::string log_line(bool json, std::string_view level, std::string_view message, std::string_view time);

class Log {
  public:
    explicit Log(LogOptions options) : options_(std::move(options)) {}
    // The command failed: to the log, and for people to stderr.
    void error(std::string_view message) const;
    // To the log only; when there is none, to stderr.
    void warning(std::string_view message) const;
    void debug(std::string_view message) const;

  private:
    bool to_stderr() const { return options_.path.empty() || options_.path == "/dev/stderr"; }
    void append(std::string_view level, std::string_view message) const;
    LogOptions options_;
};

}  // namespace orlop::oci
