#include "harness/images.h"

#include <archive.h>
#include <archive_entry.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <array>
#include <memory>

#include "base/dir.h"
#include "harness/process.h"

namespace orlop::it {
namespace {

using Json = nlohmann::json;

std::string sha256(const std::string& bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
    unsigned int size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::string hex;
    for (unsigned int i = 0; i < size; ++i) {
        hex += "0123456789abcdef"[digest[i] >> 4];
        hex += "0123456789abcdef"[digest[i] & 15];
    }
    return hex;
}

la_ssize_t append(archive*, void* to, const void* bytes, size_t size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

Status add(archive* tar, const ImageFile& file) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                         archive_entry_free);
    archive_entry_set_pathname(entry.get(), file.path.c_str());
    archive_entry_set_perm(entry.get(), file.mode);
    archive_entry_set_mtime(entry.get(), 1'700'000'000, 0);
    archive_entry_set_gid(entry.get(), file.gid);
    if (!file.capability.empty())
        archive_entry_xattr_add_entry(entry.get(), "security.capability", file.capability.data(),
                                      file.capability.size());
    if (!file.hard_link.empty()) {
        archive_entry_set_hardlink(entry.get(), file.hard_link.c_str());
    } else if (file.directory) {
        archive_entry_set_filetype(entry.get(), AE_IFDIR);
    } else if (!file.link.empty()) {
        archive_entry_set_filetype(entry.get(), AE_IFLNK);
        archive_entry_set_symlink(entry.get(), file.link.c_str());
    } else {
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(file.content.size()));
    }
    if (archive_write_header(tar, entry.get()) != ARCHIVE_OK) return Error::failed(archive_error_string(tar));
    if (archive_write_data(tar, file.content.data(), file.content.size()) < 0)
        return Error::failed(archive_error_string(tar));
    return ok();
}

Result<std::string> tar_of(const Layer& layer) {
    std::string bytes;
    const std::unique_ptr<archive, int (*)(archive*)> tar(archive_write_new(), archive_write_free);
    archive_write_set_format_pax_restricted(tar.get());
    archive_write_open(tar.get(), &bytes, nullptr, append, nullptr);
    for (const ImageFile& file : layer) TRY(add(tar.get(), file).under(file.path));
    if (archive_write_close(tar.get()) != ARCHIVE_OK) return Error::failed(archive_error_string(tar.get()));
    return bytes;
}

ImageFile directory(const std::string& path, mode_t mode = 0755) {
    return {.path = path, .mode = mode, .directory = true};
}

}  // namespace

Layer busybox_layer(const std::string& busybox_path) {
    Layer layer;
    for (const char* path : {"bin", "etc", "root", "www", "var", "proc", "sys", "dev"})
        layer.push_back(directory(path));
    layer.push_back(directory("tmp", 01777));
    const auto busybox = read_file(busybox_path, 64u << 20);
    layer.push_back({.path = "bin/busybox", .content = busybox ? *busybox : "", .mode = 0755});
    const Reply applets = run({busybox_path, "--list"});
    size_t begin = 0;
    for (size_t end = 0; (end = applets.out.find('\n', begin)) != std::string::npos; begin = end + 1) {
        const std::string applet = applets.out.substr(begin, end - begin);
        if (applet != "busybox") layer.push_back({.path = "bin/" + applet, .content = "", .link = "busybox"});
    }
    layer.push_back({.path = "etc/passwd",
                     .content = "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/www:/bin/false\n"});
    layer.push_back({.path = "etc/group", .content = "root:x:0:\nwww:x:33:\n"});
    return layer;
}

ImageSpec busybox_image(const std::string& busybox_path) {
    return {.name = kBusyboxImage,
            .layers = {busybox_layer(busybox_path)},
            .config = {{"Env", {"PATH=/bin"}}, {"WorkingDir", "/"}}};
}

Result<std::string> docker_archive(const ImageSpec& image) {
    Json rootfs = {{"type", "layers"}, {"diff_ids", Json::array()}};
    Layer outer;
    Json layer_names = Json::array();
    for (const Layer& layer : image.layers) {
        std::string bytes = TRY(tar_of(layer));
        const std::string digest = sha256(bytes);
        rootfs["diff_ids"].push_back("sha256:" + digest);
        layer_names.push_back(digest + ".tar");
        outer.push_back({.path = digest + ".tar", .content = std::move(bytes)});
    }
    const Json config = {{"architecture", "amd64"},
                         {"os", "linux"},
                         {"config", image.config},
                         {"rootfs", rootfs},
                         {"created", "2026-01-02T03:04:05Z"}};
    const std::string config_text = config.dump();
    const std::string config_name = sha256(config_text) + ".json";
    outer.push_back({.path = config_name, .content = config_text});
    const Json manifest =
        Json::array({{{"Config", config_name}, {"RepoTags", {image.name}}, {"Layers", layer_names}}});
    outer.push_back({.path = "manifest.json", .content = manifest.dump()});
    return tar_of(outer);
}

Status write_tree(const Layer& layer, const std::string& dir) {
    for (const ImageFile& file : layer) {
        const std::string path = dir + "/" + file.path;
        if (file.directory) {
            TRY(make_dirs(path, file.mode));
        } else if (!file.link.empty()) {
            if (symlink(file.link.c_str(), path.c_str()) != 0) return Error::sys("symlink " + path);
        } else {
            const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, file.mode));
            if (!fd) return Error::sys("open " + path);
            TRY(write_all(fd.get(), file.content));
        }
    }
    return ok();
}

}  // namespace orlop::it
