#include "cli/log_lines.h"

#include <utility>

namespace orlop::cli {

namespace {

constexpr size_t kLongestLine = 1 << 20;

std::string_view next_word(std::string_view& text) {
    const size_t blank = text.find(' ');
    if (blank == std::string_view::npos) return {};
    const std::string_view word = text.substr(0, blank);
    text.remove_prefix(blank + 1);
    return word;
}

}  // namespace

bool parse_log_record(std::string_view line, LogRecord& record) {
    record.time = next_word(line);
    record.stream = next_word(line);
    // Tags are separated by colons; the first says whether the line is whole.
    const std::string_view tags = next_word(line);
    const std::string_view first = tags.substr(0, tags.find(':'));
    record.partial = first == "P";
    record.text = line;
    return !record.time.empty() && (record.stream == "stdout" || record.stream == "stderr") &&
           (first == "P" || first == "F");
}

std::string LineJoiner::add(std::string_view line) {
    LogRecord record;
    if (!parse_log_record(line, record)) return std::string(line) + "\n";
    auto at = open_.find(record.stream);
    if (at == open_.end()) {
        at = open_.emplace(record.stream, timestamps_ ? std::string(record.time) + " " : std::string()).first;
    }
    at->second += record.text;
    if (!record.partial) {
        std::string out = std::move(at->second) + "\n";
        open_.erase(at);
        return out;
    }
    // The entry stays: what follows is still of the same line and gets no timestamp.
    return at->second.size() > kLongestLine ? std::exchange(at->second, "") : "";
}

std::string LineJoiner::rest() {
    std::string out;
    for (const auto& [stream, text] : open_)
        if (!text.empty()) out += text + "\n";
    open_.clear();
    return out;
}

int64_t tail_offset(std::string_view text, int64_t lines) {
    size_t end = text.size();
    if (lines <= 0) return static_cast<int64_t>(end);
    int64_t whole = 0;
    // Backwards, record by record; the wanted ones begin after the (lines+1)th record from the end with F.
    while (end > 0) {
        const size_t last = text[end - 1] == '\n' ? end - 1 : end;
        const size_t newline = last == 0 ? std::string_view::npos : text.rfind('\n', last - 1);
        const size_t start = newline == std::string_view::npos ? 0 : newline + 1;
        LogRecord record;
        const bool known = parse_log_record(text.substr(start, last - start), record);
        if ((!known || !record.partial) && ++whole > lines) return static_cast<int64_t>(end);
        end = start;
    }
    return -1;
}

}  // namespace orlop::cli
