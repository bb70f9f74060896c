#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/table.h"

namespace orlop::cli {

namespace {

size_t terminal_columns() {
    winsize size = {};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void put(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

std::string name_of(const PodRow& row) {
    return row.ns + "/" + row.name;
}

}  // namespace

std::vector<std::string> changed_lines(const std::vector<std::string>& before,
                                       const std::vector<std::string>& now) {
    std::vector<std::string> out;
    std::copy_if(now.begin(), now.end(), std::back_inserter(out), [&before](const std::string& line) {
        return std::find(before.begin(), before.end(), line) == before.end();
    });
    return out;
}

std::string redraw(size_t before, const std::vector<std::string>& now, size_t columns) {
    std::string out;
    if (before > 0) out += "\x1b[" + std::to_string(before) + "A";
    out += "\r\x1b[J";
    for (const std::string& line : now) out += printable(line).substr(0, columns) + "\n";
    return out;
}

Display::Display() : terminal_(isatty(STDOUT_FILENO) == 1) {}

void Display::show(const std::vector<std::string>& lines) {
    if (lines == shown_) return;
    if (terminal_) {
        put(redraw(shown_.size(), lines, terminal_columns()));
    } else {
        for (const std::string& line : changed_lines(shown_, lines)) put(printable(line) + "\n");
    }
    shown_ = lines;
}

void Display::clear() {
    if (terminal_ && !shown_.empty()) put(redraw(shown_.size(), {}, 0));
    shown_.clear();
}

bool Waiting::done() const {
    return missing.empty() && errors.empty() &&
           std::all_of(rows.begin(), rows.end(), [](const PodRow& row) { return row.settled; });
}

bool Waiting::hopeless() const {
    return !done() && missing.empty() && errors.empty() &&
           std::all_of(rows.begin(), rows.end(), [](const PodRow& row) { return row.settled || row.failed; });
}

std::vector<std::string> waiting_lines(const Waiting& waiting) {
    std::vector<std::vector<std::string>> cells;
    for (const PodRow& row : waiting.rows) {
        cells.push_back({row.settled  ? "ok"
                         : row.failed ? "failed"
                                      : "waiting",
                         name_of(row), std::to_string(row.ready) + "/" + std::to_string(row.total),
                         row.status});
    }
    for (const WantedPod& pod : waiting.missing)
        cells.push_back({"waiting", pod.ns + "/" + pod.name, "", "in " + pod.file + ", not taken over yet"});
    for (const ManifestError& error : waiting.errors)
        cells.push_back({"error", error.file, "", error.message});
    std::vector<std::string> out;
    for (const auto& row : cells) {
        std::string line = row[0] + std::string(9 - row[0].size(), ' ') + row[1];
        if (!row[2].empty()) line += "  " + row[2];
        out.push_back(line + "  " + row[3]);
    }
    return out;
}

std::vector<std::string> not_ready_lines(const Waiting& waiting) {
    std::vector<std::string> out;
    for (const PodRow& row : waiting.rows) {
        if (row.settled) continue;
        out.push_back(name_of(row) + " is not Ready: " + (row.why.empty() ? row.status : row.why));
    }
    for (const WantedPod& pod : waiting.missing)
        out.push_back(pod.ns + "/" + pod.name + ": the agent has not taken over " + pod.file);
    for (const ManifestError& error : waiting.errors) out.push_back(error.file + ": " + error.message);
    return out;
}

}  // namespace orlop::cli
