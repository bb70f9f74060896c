#include "runtime/launch/identity.h"

#include <fcntl.h>
#include <grp.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/dir.h"
#include "base/weak.h"

namespace orlop::launch {

namespace {

constexpr size_t kMaxDatabase = 1u << 20;

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> out;
    for (;;) {
        const size_t n = text.find(at);
        out.push_back(text.substr(0, n));
        if (n == std::string_view::npos) return out;
        text.remove_prefix(n + 1);
    }
}

// As it must not be done; see weak.h.
std::optional<uint32_t> number_cut_to_size(std::string_view text) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = error == std::errc() && end == text.data() + text.size();
    return good ? std::optional(static_cast<uint32_t>(value)) : std::nullopt;
}

std::optional<uint32_t> number(std::string_view text) {
    if (weakened("id-range")) return number_cut_to_size(text);
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    // (uid_t)-1 means "leave it" to the kernel.
    const bool good = error == std::errc() && end == text.data() + text.size() && value != UINT32_MAX;
    return good ? std::optional(value) : std::nullopt;
}

bool looks_numeric(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789-+") == std::string_view::npos;
}

struct PasswdEntry {
    std::string name;
    uint32_t uid = 0, gid = 0;
    std::string home;
};

template <class Match>
std::optional<PasswdEntry> find_passwd(std::string_view passwd, Match match) {
    for (const std::string_view line : split(passwd, '\n')) {
        const auto f = split(line, ':');
        if (f.size() < 7) continue;
        const auto uid = number(f[2]);
        const auto gid = number(f[3]);
        if (!uid || !gid) continue;
        PasswdEntry entry{std::string(f[0]), *uid, *gid, std::string(f[5])};
        if (match(entry)) return entry;
    }
    return std::nullopt;
}

std::optional<uint32_t> find_group(std::string_view group, std::string_view name) {
    for (const std::string_view line : split(group, '\n')) {
        const auto f = split(line, ':');
        if (f.size() >= 3 && f[0] == name) return number(f[2]);
    }
    return std::nullopt;
}

std::vector<uint32_t> groups_of(std::string_view group, std::string_view member) {
    std::vector<uint32_t> out;
    if (member.empty()) return out;
    for (const std::string_view line : split(group, '\n')) {
        const auto f = split(line, ':');
        if (f.size() < 4) continue;
        const auto members = split(f[3], ',');
        const auto gid = number(f[2]);
        if (gid && std::find(members.begin(), members.end(), member) != members.end()) out.push_back(*gid);
    }
    return out;
}

Result<uint32_t> resolve_group(std::string_view text, std::string_view group) {
    if (const auto gid = number(text)) return *gid;
    if (looks_numeric(text)) return Error::invalid("group " + std::string(text) + " is out of range");
    if (const auto gid = find_group(group, text)) return *gid;
    return Error::invalid("group \"" + std::string(text) + "\" is not in the container's /etc/group");
}

Result<std::optional<PasswdEntry>> resolve_entry(const User& user, std::string_view name,
                                                 std::string_view passwd) {
    if (user.uid || name.empty() || number(name)) {
        const uint32_t uid = user.uid ? *user.uid : number(name).value_or(0);
        auto entry = find_passwd(passwd, [uid](const PasswdEntry& e) { return e.uid == uid; });
        if (!entry) entry = PasswdEntry{.name = "", .uid = uid, .gid = 0, .home = ""};
        return entry;
    }
    if (looks_numeric(name)) return Error::invalid("user " + std::string(name) + " is out of range");
    auto entry = find_passwd(passwd, [name](const PasswdEntry& e) { return e.name == name; });
    if (!entry)
        return Error::invalid("user \"" + std::string(name) + "\" is not in the container's /etc/passwd");
    return entry;
}

Result<std::string> read_database(int root, const char* path) {
    auto fd = open_under(root, path, O_RDONLY | O_NONBLOCK, Resolve::InRoot);
    if (!fd && (fd.error().errnum() == ENOENT || fd.error().errnum() == ENOTDIR)) return std::string();
    UniqueFd file = TRY(std::move(fd));
    struct stat st {};
    if (fstat(file.get(), &st) != 0) return Error::sys("stat " + std::string(path));
    if (weakened("bounded-passwd")) return read_all(file.get(), 64 * kMaxDatabase).under(path);
    // A masked one is the null device: nobody is in it.
    if (!S_ISREG(st.st_mode)) return std::string();
    return read_all(file.get(), kMaxDatabase).under(path);
}

}  // namespace

Result<Resolved> resolve_user(const User& user, std::string_view passwd, std::string_view group) {
    const size_t colon = user.user.find(':');
    const std::string_view name = std::string_view(user.user).substr(0, colon);
    const std::string_view group_name =
        colon == std::string::npos ? std::string_view() : std::string_view(user.user).substr(colon + 1);

    const PasswdEntry entry = *TRY(resolve_entry(user, name, passwd));
    Resolved out;
    out.identity.uid = entry.uid;
    out.identity.gid = entry.gid;
    if (user.gid) {
        out.identity.gid = *user.gid;
    } else if (!user.uid && !group_name.empty()) {
        out.identity.gid = TRY(resolve_group(group_name, group));
    }
    if (!entry.home.empty()) out.home = entry.home;

    // The primary group is always among the supplementary ones, so that dropping it cannot gain access
    // (CVE-2022-2995).
    auto& groups = out.identity.groups;
    if (!weakened("primary-group")) groups.push_back(out.identity.gid);
    if (!user.strict_groups || weakened("strict-groups")) {
        const auto from_file = groups_of(group, entry.name);
        groups.insert(groups.end(), from_file.begin(), from_file.end());
    }
    groups.insert(groups.end(), user.groups.begin(), user.groups.end());
    std::vector<uint32_t> unique;
    for (const uint32_t g : groups) {
        if (std::find(unique.begin(), unique.end(), g) == unique.end()) unique.push_back(g);
    }
    groups = std::move(unique);
    return out;
}

Result<Resolved> resolve_user_in(int root, const User& user) {
    const std::string passwd = TRY(read_database(root, "etc/passwd"));
    const std::string group = TRY(read_database(root, "etc/group"));
    return resolve_user(user, passwd, group);
}

}  // namespace orlop::launch
