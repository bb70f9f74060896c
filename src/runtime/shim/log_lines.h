// The CRI log format: `RFC3339Nano stdout|stderr P|F content\n`, lines of at most 16384 bytes of content,
// longer ones in pieces tagged P with the last one F.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace orlop::shim {

inline constexpr size_t kMaxLogLine = 16384;

// Cuts one stream into records. Pure but for the time it is given.
class LineCutter {
  public:
    explicit LineCutter(std::string_view stream) : stream_(stream) {}
    // Appends the records that `data` completes to `out`.
    void feed(std::string_view data, Nanos now, std::string& out);
    // The stream has ended: what is left has no newline and becomes a partial record.
    void flush(Nanos now, std::string& out);

  private:
    void record(char tag, std::string_view content, Nanos now, std::string& out);
    std::string_view stream_;  // "stdout" or "stderr"
    std::string pending_;
    Nanos second_{-1};   // of stamp_
    std::string stamp_;  // the time up to the seconds
};

// One container's log file; whole records only, even when the disk is full.
class LogFile {
  public:
    LogFile() = default;
    // Creates it (0640) or appends. "" = no log. Who writes to the directory (a pod that has mounted it)
    // cannot lead the log elsewhere: below it no symlink is followed. directory "" = only the file itself is
    // not one.
    static Result<LogFile> open(const std::string& path, const std::string& directory = "");
    // After a rename by the agent: a new file at the same path. On an error the old one stays in use.
    Status reopen();
    // On an error nothing of `records` is kept in the file; the caller goes on draining.
    Status append(std::string_view records);

  private:
    std::string path_, directory_;
    UniqueFd fd_;
};

}  // namespace orlop::shim
