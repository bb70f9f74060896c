// A directory tree as one canonical tar stream: equal trees give equal bytes, so equal DiffIDs.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/dir.h"
#include "images/stream.h"

struct archive;

namespace orlop::images {

// PAX; names in byte order; owners as numbers; mtime with nanoseconds, no other time; extended attributes
// that keep_xattr() lets through; the first name of a hard-linked file has its data. Mount points come as
// empty directories and files, sockets not at all. Names that a layer would take for whiteouts are refused.
class TreeStream final : public ByteStream {
  public:
    static Result<std::unique_ptr<TreeStream>> open(const std::string& path);
    Result<size_t> read(char* to, size_t size) override;

  private:
    struct Frame {
        Dir dir;
        std::string path;  // ends with '/'
        std::vector<std::string> names;
        size_t next = 0;
    };
    struct Free {
        void operator()(archive* a) const;
    };
    struct Node;

    TreeStream() = default;
    static ssize_t on_write(archive* a, void* self, const void* bytes, size_t size);
    Status advance();
    Status visit();
    Status add_directory(const Frame& above, const Node& node);
    Status add_other(const Frame& above, const Node& node);
    Status write_header(const Node& node, int fd);
    Status copy_data();
    Status enter(Dir dir, const std::string& path);
    Error failure(const std::string& what) const;

    std::string out_;  // written, not yet read
    size_t taken_ = 0;
    std::vector<Frame> stack_;
    uint64_t mount_ = 0;
    std::map<std::pair<uint64_t, uint64_t>, std::string> linked_;  // device and inode: first name
    UniqueFd file_;                                                // being copied
    std::string file_path_;
    uint64_t file_left_ = 0;
    bool closed_ = false;
    // Last, so the first to go: freeing it writes what libarchive still holds into out_.
    std::unique_ptr<archive, Free> archive_;
};

}  // namespace orlop::images
