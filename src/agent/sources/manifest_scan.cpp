#include <sys/stat.h>

#include <filesystem>

#include "agent/sources/manifests.h"
#include "base/dir.h"

namespace orlop::agent {

namespace {

constexpr size_t kLimit = 10u << 20;

int64_t nanos(const timespec& t) {
    return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

// A manifest can ask for anything, root's included: only root may write one.
Status check_owner(const struct stat& st, const std::string& path) {
    if (st.st_uid != 0)
        return Error::precondition(path + " belongs to uid " + std::to_string(st.st_uid) +
                                   ": it must belong to root (chown root " + path + ")");
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return Error::precondition(path + " can be written by others than root (chmod go-w " + path + ")");
    return ok();
}

Result<std::vector<kube::ReadPod>> read_one(int fd) {
    const std::string text = TRY(read_all(fd, kLimit));
    return kube::read_pods(text);
}

// Nothing: not a manifest (a directory, a socket, gone again).
std::optional<ScannedFile> scan_file(const std::string& path, const FileStamp* known) {
    // O_NONBLOCK: a FIFO in the folder must not hang the agent.
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat st {};
    ScannedFile out;
    if (!fd || fstat(fd.get(), &st) != 0) {
        if (errno == ENOENT) return {};
        out.pods = Error::sys("open");
        return out;
    }
    if (!S_ISREG(st.st_mode)) return {};
    out.stamp = {st.st_ino, st.st_size, nanos(st.st_mtim), nanos(st.st_ctim)};
    if (known != nullptr && *known == out.stamp) return out;
    if (auto owner = check_owner(st, path); !owner)
        out.pods = std::move(owner).error();
    else
        out.pods = read_one(fd.get());
    return out;
}

}  // namespace

Result<std::map<std::string, ScannedFile>> scan_manifests(const std::string& path, const Stamps& known) {
    std::map<std::string, ScannedFile> out;
    struct stat st {};
    if (stat(path.c_str(), &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return out;
        return Error::sys("manifests " + path);
    }
    TRY(check_owner(st, path));
    const auto add = [&](const std::string& name, const std::string& full) {
        const auto at = known.find(name);
        auto file = scan_file(full, at == known.end() ? nullptr : &at->second);
        if (file) out.emplace(name, std::move(*file));
    };
    if (!S_ISDIR(st.st_mode)) {
        add(std::filesystem::path(path).filename(), path);
        return out;
    }
    const Dir dir = TRY(Dir::open(path));
    for (const std::string& name : TRY(dir.list())) {
        if (!name.starts_with('.')) add(name, path + "/" + name);
    }
    return out;
}

}  // namespace orlop::agent
