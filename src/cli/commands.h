// The subcommands: one file each. They print what they do; the result is the exit code. An error is printed
// by main as one line and exits 1.
#pragma once

#include "base/result.h"
#include "cli/options.h"

namespace orlop::cli {

Result<int> up(const Common& common, const UpOptions& options);
Result<int> down(const Common& common, const DownOptions& options);
Result<int> status(const Common& common);
Result<int> logs(const Common& common, const LogsOptions& options);
Result<int> image_import(const Common& common, const ImportOptions& options);
Result<int> image_pull(const Common& common, const PullOptions& options);
Result<int> image_list(const Common& common);
Result<int> image_inspect(const Common& common, const std::vector<std::string>& references);
// Those without a tag; `all`: with one too.
Result<int> image_prune(const Common& common, bool all);
// 1 if something is damaged.
Result<int> image_verify(const Common& common);
Result<int> image_remove(const Common& common, const std::vector<std::string>& references);
// Hidden: the process that `up` leaves behind when systemd is not there.
Result<int> supervise(const Common& common);

}  // namespace orlop::cli
