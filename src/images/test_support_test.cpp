#include <archive.h>

#include <filesystem>

#include "images/test_support.h"

namespace orlop::images::test {

namespace {

ssize_t append(archive*, void* to, const void* bytes, size_t size) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
    return static_cast<ssize_t>(size);
}

void add_filter(archive* a, Squeeze squeeze) {
    if (squeeze == Squeeze::Gzip) archive_write_add_filter_gzip(a);
    if (squeeze == Squeeze::Zstd) archive_write_add_filter_zstd(a);
    if (squeeze == Squeeze::Xz) archive_write_add_filter_xz(a);
}

void add_entry(archive* a, const TarEntry& entry) {
    archive_entry* e = archive_entry_new();
    archive_entry_copy_pathname(e, entry.path.c_str());
    archive_entry_set_filetype(e, entry.type);
    archive_entry_set_perm(e, entry.mode);
    archive_entry_set_uid(e, entry.uid);
    archive_entry_set_gid(e, entry.gid);
    archive_entry_set_mtime(e, entry.mtime, 0);
    archive_entry_set_size(e, static_cast<int64_t>(entry.data.size()));
    if (!entry.link.empty()) archive_entry_copy_symlink(e, entry.link.c_str());
    if (!entry.hard_link.empty()) archive_entry_copy_hardlink(e, entry.hard_link.c_str());
    archive_entry_set_rdevmajor(e, entry.major);
    archive_entry_set_rdevminor(e, entry.minor);
    for (const auto& [name, value] : entry.xattrs)
        archive_entry_xattr_add_entry(e, name.c_str(), value.data(), value.size());
    EXPECT_GE(archive_write_header(a, e), ARCHIVE_WARN) << archive_error_string(a);
    if (!entry.data.empty()) archive_write_data(a, entry.data.data(), entry.data.size());
    archive_entry_free(e);
}

std::string quoted_list(const std::vector<std::string>& items) {
    std::string out;
    for (const std::string& item : items) out += (out.empty() ? "\"" : ",\"") + item + "\"";
    return "[" + out + "]";
}

}  // namespace

Scratch::Scratch() {
    std::string path = "/tmp/orlop-images-XXXXXX";
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    path_ = path;
}

Scratch::~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string Scratch::file(const std::string& name, const std::string& content) const {
    const std::string path = path_ + "/" + name;
    UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    EXPECT_TRUE(write_all(fd.get(), content).ok());
    return path;
}

TarEntry directory(const std::string& path, unsigned mode) {
    return {.path = path, .type = AE_IFDIR, .mode = mode};
}

TarEntry symlink(const std::string& path, const std::string& target) {
    return {.path = path, .type = AE_IFLNK, .mode = 0777, .link = target};
}

TarEntry hard_link(const std::string& path, const std::string& target) {
    return {.path = path, .hard_link = target};
}

std::string make_tar(const std::vector<TarEntry>& entries, Squeeze squeeze) {
    std::string out;
    archive* a = archive_write_new();
    archive_write_set_format_pax(a);
    archive_write_set_options(a, "hdrcharset=BINARY");
    add_filter(a, squeeze);
    archive_write_set_bytes_in_last_block(a, 1);
    archive_write_open(a, &out, nullptr, append, nullptr);
    for (const TarEntry& entry : entries) add_entry(a, entry);
    archive_write_close(a);
    archive_write_free(a);
    return out;
}

std::string compress(const std::string& bytes, Squeeze squeeze) {
    if (squeeze == Squeeze::None) return bytes;
    std::string out;
    archive* a = archive_write_new();
    archive_write_set_format_raw(a);
    add_filter(a, squeeze);
    archive_write_set_bytes_per_block(a, 0);
    archive_write_open(a, &out, nullptr, append, nullptr);
    add_entry(a, {.path = "x", .data = bytes});
    archive_write_close(a);
    archive_write_free(a);
    return out;
}

std::string tar_of(const Files& files, Squeeze squeeze) {
    std::vector<TarEntry> entries;
    for (const auto& [name, content] : files) entries.push_back({.path = name, .data = content});
    return make_tar(entries, squeeze);
}

void write_files(const std::string& directory, const Files& files) {
    for (const auto& [name, content] : files) {
        const std::filesystem::path path = directory + "/" + name;
        ASSERT_TRUE(make_dirs(path.parent_path()).ok());
        const Dir dir = std::move(Dir::open(path.parent_path())).value();
        ASSERT_TRUE(dir.write_atomic(path.filename(), content).ok());
    }
}

std::string config_for(const std::vector<TestLayer>& layers, const std::string& process) {
    std::vector<std::string> diff_ids;
    for (const TestLayer& layer : layers) diff_ids.push_back(sha256_of(layer.tar).str());
    return R"({"architecture":"amd64","os":"linux","config":)" + process +
           R"(,"rootfs":{"type":"layers","diff_ids":)" + quoted_list(diff_ids) + "}}";
}

Files docker_files(const std::vector<TestLayer>& layers, const std::vector<std::string>& tags,
                   const std::string& process) {
    Files files;
    const std::string config = config_for(layers, process);
    const std::string config_name = hex_of(sha256_of(config)) + ".json";
    files[config_name] = config;
    std::vector<std::string> names;
    for (const TestLayer& layer : layers) {
        names.push_back("l" + std::to_string(names.size()) + "/layer.tar");
        files[names.back()] = compress(layer.tar, layer.squeeze);
    }
    files["manifest.json"] = R"([{"Config":")" + config_name + R"(","RepoTags":)" + quoted_list(tags) +
                             R"(,"Layers":)" + quoted_list(names) + "}]";
    return files;
}

std::string add_blob(Files& files, const std::string& media_type, const std::string& content,
                     const std::string& more) {
    const Digest digest = sha256_of(content);
    files["blobs/sha256/" + hex_of(digest)] = content;
    return R"({"mediaType":")" + media_type + R"(","digest":")" + digest.str() + R"(","size":)" +
           std::to_string(content.size()) + more + "}";
}

Files oci_files(const std::vector<TestLayer>& layers, const std::string& ref, const std::string& process) {
    Files files;
    const std::string config =
        add_blob(files, "application/vnd.oci.image.config.v1+json", config_for(layers, process));
    std::string list;
    for (const TestLayer& layer : layers)
        list += (list.empty() ? "" : ",") + add_blob(files, "application/vnd.oci.image.layer.v1.tar+gzip",
                                                     compress(layer.tar, layer.squeeze));
    const std::string annotation =
        ref.empty() ? "" : R"(,"annotations":{"org.opencontainers.image.ref.name":")" + ref + R"("})";
    const std::string manifest =
        add_blob(files, "application/vnd.oci.image.manifest.v1+json",
                 R"({"schemaVersion":2,"config":)" + config + R"(,"layers":[)" + list + "]}", annotation);
    files["index.json"] = R"({"schemaVersion":2,"manifests":[)" + manifest + "]}";
    files["oci-layout"] = R"({"imageLayoutVersion":"1.0.0"})";
    return files;
}

TestLayer base_layer() {
    return {make_tar({directory("bin"),
                      {.path = "bin/sh", .data = "shell", .mode = 0755},
                      directory("etc"),
                      {.path = "etc/keep", .data = "keep"},
                      {.path = "etc/gone", .data = "gone"},
                      directory("opt"),
                      {.path = "opt/old", .data = "old"}})};
}

TestLayer top_layer() {
    return {make_tar({directory("etc"),
                      {.path = "etc/.wh.gone"},
                      {.path = "etc/new", .data = "new"},
                      directory("opt"),
                      {.path = "opt/.wh..wh..opq"},
                      {.path = "opt/only", .data = "only"}})};
}

TestLayer small_layer(const std::string& name) {
    return {make_tar({{.path = name, .data = name}})};
}

std::string docker_archive(const std::vector<TestLayer>& layers, const std::vector<std::string>& tags) {
    return tar_of(docker_files(layers, tags));
}

std::vector<std::string> layer_names(const Scratch& scratch) {
    return names_in(scratch / "store/layers");
}

std::unique_ptr<Store> open_store(const Scratch& scratch) {
    auto store = Store::open(scratch / "store");
    EXPECT_TRUE(store.ok()) << (store ? "" : store.error().what());
    return store ? std::move(store).value() : nullptr;
}

Image import_one(Store& store, const Scratch& scratch, const std::string& bytes,
                 const std::string& reference) {
    const auto images = store.import_archive(scratch.file("import.tar", bytes), reference, {});
    EXPECT_TRUE(images.ok()) << (images ? "" : images.error().what());
    if (!images || images->size() != 1) {
        ADD_FAILURE() << "not one image";
        return {};
    }
    return images->front();
}

Error import_error(Store& store, const Scratch& scratch, const std::string& bytes,
                   const std::string& reference) {
    const auto images = store.import_archive(scratch.file("import.tar", bytes), reference, {});
    if (!images) return images.error();
    ADD_FAILURE() << "the import succeeded";
    return Error::failed("");
}

std::vector<std::string> names_in(const std::string& directory) {
    const auto dir = Dir::open(directory);
    return dir ? dir->list().value_or({}) : std::vector<std::string>{"cannot open " + directory};
}

}  // namespace orlop::images::test
