// For the tests of this module: archives built in memory, images built of them, and a store in /tmp.
#pragma once

#include <archive_entry.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/dir.h"
#include "images/digest.h"
#include "images/store.h"

namespace orlop::images::test {

class Scratch {
  public:
    Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch();
    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    // Writes a file in it; its path.
    std::string file(const std::string& name, const std::string& content) const;

  private:
    std::string path_;
};

struct TarEntry {
    std::string path;
    std::string data;
    unsigned type = AE_IFREG;
    unsigned mode = 0644;
    std::string link;  // symbolic
    std::string hard_link;
    int64_t uid = 0, gid = 0;
    int64_t mtime = 1'600'000'000;
    unsigned major = 0, minor = 0;
    std::vector<std::pair<std::string, std::string>> xattrs;
};
TarEntry directory(const std::string& path, unsigned mode = 0755);
TarEntry symlink(const std::string& path, const std::string& target);
TarEntry hard_link(const std::string& path, const std::string& target);

enum class Squeeze { None, Gzip, Zstd, Xz };
// PAX.
std::string make_tar(const std::vector<TarEntry>& entries, Squeeze squeeze = Squeeze::None);
std::string compress(const std::string& bytes, Squeeze squeeze);

// Files by name: what an image archive consists of.
using Files = std::map<std::string, std::string>;
std::string tar_of(const Files& files, Squeeze squeeze = Squeeze::None);
void write_files(const std::string& directory, const Files& files);

struct TestLayer {
    std::string tar;                  // not compressed
    Squeeze squeeze = Squeeze::None;  // how it lies in the archive
};
// `process` is the "config" object of the image config, as JSON.
std::string config_for(const std::vector<TestLayer>& layers, const std::string& process = "{}");
Files docker_files(const std::vector<TestLayer>& layers, const std::vector<std::string>& tags,
                   const std::string& process = "{}");
// With one manifest, named `ref` by the usual annotation if it is not empty.
Files oci_files(const std::vector<TestLayer>& layers, const std::string& ref,
                const std::string& process = "{}");
// Adds a blob under its digest; the descriptor as JSON.
std::string add_blob(Files& files, const std::string& media_type, const std::string& content,
                     const std::string& more = "");

// bin/sh, etc/keep, etc/gone, opt/old; and a layer above it that removes etc/gone, replaces all of opt by
// opt/only and adds etc/new.
TestLayer base_layer();
TestLayer top_layer();
// One file that holds its own name.
TestLayer small_layer(const std::string& name);
// A docker-archive.
std::string docker_archive(const std::vector<TestLayer>& layers, const std::vector<std::string>& tags);

// In <scratch>/store.
std::unique_ptr<Store> open_store(const Scratch& scratch);
// Of the import of `bytes` written to a file; fails the test on an error.
Image import_one(Store& store, const Scratch& scratch, const std::string& bytes,
                 const std::string& reference = "");
// The error that the import must give.
Error import_error(Store& store, const Scratch& scratch, const std::string& bytes,
                   const std::string& reference = "");
std::vector<std::string> layer_names(const Scratch& scratch);
// Sorted.
std::vector<std::string> names_in(const std::string& directory);

}  // namespace orlop::images::test
