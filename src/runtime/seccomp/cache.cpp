#include <sys/stat.h>

#include "base/dir.h"
#include "runtime/launch/codec.h"
#include "runtime/seccomp/profile.h"

namespace orlop::seccomp {

template <class A>
void fields(A& a, Filter& f) {
    a(f.program, f.flags, f.listener_path, f.listener_metadata);
}

namespace {

// A file of the cache: its form, what it was made from, and what came of it.
struct Entry {
    uint32_t version = 0;
    std::string profile;
    uint64_t capabilities = 0;
    Filter filter;
};
template <class A>
void fields(A& a, Entry& e) {
    a(e.version, e.profile, e.capabilities, e.filter);
}

constexpr uint32_t kVersion = 1;
constexpr size_t kMaxEntry = 4u << 20;

// FNV-1a: it only names the file; the whole input in it is compared.
std::string file_name(std::string_view profile, uint64_t capabilities) {
    uint64_t hash = 14695981039346656037ull;
    const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 1099511628211ull; };
    for (const char c : profile) add(static_cast<unsigned char>(c));
    for (int i = 0; i < 64; i += 8) add(static_cast<unsigned char>(capabilities >> i));
    static constexpr char kHex[] = "0123456789abcdef";
    std::string out;
    for (int i = 60; i >= 0; i -= 4) out += kHex[(hash >> i) & 15];
    return out;
}

}  // namespace

Result<Filter> compile_profile_cached(std::string_view json, uint64_t bounding_capabilities,
                                      const std::string& directory) {
    auto dir = Dir::make(directory, 0700);
    if (!dir) return compile_profile(json, bounding_capabilities);
    const std::string name = file_name(json, bounding_capabilities);
    if (auto bytes = dir->read(name, kMaxEntry)) {
        auto entry = launch::decode<Entry>(*bytes);
        if (entry && entry->version == kVersion && entry->profile == json &&
            entry->capabilities == bounding_capabilities)
            return std::move(entry->filter);
    }
    Filter filter = TRY(compile_profile(json, bounding_capabilities));
    // What cannot be kept is compiled again next time.
    (void)dir
        ->write_atomic(name,
                       launch::encode(Entry{kVersion, std::string(json), bounding_capabilities, filter}))
        .ok();
    return filter;
}

}  // namespace orlop::seccomp
