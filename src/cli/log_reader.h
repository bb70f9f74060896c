// Reading a log file to its end, and further while it grows, across rotation.
#pragma once

#include <functional>
#include <string>

#include "base/event_loop.h"
#include "base/unique_fd.h"
#include "cli/log_lines.h"

namespace orlop::cli {

// Opens the log so that the last `tail` lines are read next (-1: all).
Result<UniqueFd> open_log_at_tail(const std::string& path, int64_t tail);

using LogSink = std::function<void(const std::string&)>;

class LogReader {
  public:
    LogReader(std::string path, UniqueFd fd, bool timestamps, LogSink sink)
        : path_(std::move(path)), fd_(std::move(fd)), joiner_(timestamps), sink_(std::move(sink)) {}

    // Everything up to the current end of the file. When the path meanwhile names another file (rotation
    // renames the old one and makes a new one), that is read, too.
    Status read_on();
    // What is left of a line without an end.
    void finish();

  private:
    Status read_to_end();
    Result<bool> rotated() const;

    std::string path_;
    UniqueFd fd_;
    LineJoiner joiner_;
    LogSink sink_;
    std::string pending_;  // a record whose newline has not been written yet
};

}  // namespace orlop::cli
