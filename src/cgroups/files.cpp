#include "cgroups/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>
#include <memory>

#include "base/dir.h"

namespace orlop::cgroups {

Status write_value(const std::string& path, std::string_view value) {
    UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return Error::sys("open " + path);
    if (write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
        return Error::sys("write " + std::string(value) + " to " + path);
    }
    return ok();
}

Result<uint64_t> number_in(std::string_view text, const std::string& path) {
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    if (text == "max") return UINT64_MAX;
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return Error::failed(path + ": \"" + std::string(text.substr(0, 64)) + "\" is not a number");
    }
    return value;
}

Result<uint64_t> read_number(const std::string& path) {
    return number_in(TRY(read_file(path)), path);
}

Result<uint64_t> keyed_in(std::string_view text, std::string_view key, const std::string& path) {
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') {
            return number_in(line.substr(key.size() + 1), path);
        }
    }
    return uint64_t{0};
}

Result<uint64_t> read_keyed(const std::string& path, std::string_view key) {
    return keyed_in(TRY(read_file(path)), key, path);
}

Status write_in_some_order(std::vector<Write> writes) {
    for (;;) {
        std::vector<Write> refused;
        Status first = ok();
        for (Write& w : writes) {
            auto written = write_value(w.path, w.value);
            if (written) continue;
            if (written.error().errnum() != EINVAL) return written;
            if (refused.empty()) first = std::move(written);
            refused.push_back(std::move(w));
        }
        if (refused.empty() || refused.size() == writes.size()) return first;
        writes = std::move(refused);
    }
}

bool file_exists(const std::string& path) {
    return access(path.c_str(), F_OK) == 0;
}

std::vector<std::string> children_of(const std::string& dir) {
    std::vector<std::string> out;
    struct stat st {};
    // kernfs counts them in the links: most cgroups have none, and need not be listed.
    if (stat(dir.c_str(), &st) != 0 || st.st_nlink == 2) return out;
    const std::unique_ptr<DIR, int (*)(DIR*)> opened(opendir(dir.c_str()), closedir);
    if (!opened) return out;
    while (const dirent* entry = readdir(opened.get())) {
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') out.emplace_back(entry->d_name);
    }
    return out;
}

std::string limit_text(int64_t limit, Version version) {
    if (limit < 0) return version == Version::V2 ? "max" : "-1";
    return std::to_string(limit);
}

}  // namespace orlop::cgroups
