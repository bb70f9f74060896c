// The CRI log format: <RFC 3339 time with nanoseconds> <stdout|stderr> <P|F> <text>, where P is a part of a
// line that goes on in the next record of the same stream. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace orlop::cli {

struct LogRecord {
    std::string_view time;
    std::string_view stream;
    std::string_view text;
    bool partial = false;
};

// False for what is not of the format. `line` has no newline; the views point into it.
bool parse_log_record(std::string_view line, LogRecord& record);

// Puts lines together from their parts. Both streams may be in the middle of a line at once.
class LineJoiner {
  public:
    explicit LineJoiner(bool timestamps) : timestamps_(timestamps) {}

    // What is to be printed after this record: "" while its line is not complete. A line that grows beyond
    // 1 MiB is printed as far as it is known. What is not of the format is printed as it is.
    std::string add(std::string_view line);
    // What is left of lines that have not ended.
    std::string rest();

  private:
    std::map<std::string, std::string, std::less<>> open_;  // by stream
    bool timestamps_;
};

// Where the last `lines` complete lines of a log begin, in bytes; `text` may begin in the middle of a record.
// Records with P do not count as lines. -1: `text` does not hold that many.
int64_t tail_offset(std::string_view text, int64_t lines);

}  // namespace orlop::cli
