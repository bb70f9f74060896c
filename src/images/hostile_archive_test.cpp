// Whole archives that lie: each must be refused with its reason and leave the store as it was.
#include <gtest/gtest.h>

#include <filesystem>

#include "images/test_support.h"

namespace orlop::images {
namespace {

using namespace test;

const TestLayer kLayer{make_tar({{.path = "file", .data = std::string(100'000, 'a')}})};

void replace_all(std::string& text, const std::string& from, const std::string& to) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

std::string layer_file(const Files& files) {
    std::string name;
    for (const auto& [path, content] : files)
        if (path.starts_with("blobs/") && !content.starts_with("{")) name = path;
    return name;
}

struct Row {
    std::string name, error;
    std::function<std::string()> bytes;
};

std::string oci(const std::function<void(Files&)>& spoil) {
    Files files = oci_files({kLayer}, "a:v1");
    spoil(files);
    return tar_of(files);
}

std::string docker(const std::function<void(Files&)>& spoil) {
    Files files = docker_files({kLayer}, {"a:v1"});
    spoil(files);
    return tar_of(files);
}

// A layout whose manifest is replaced, with the digest of the replacement in the index.
std::string oci_with_manifest(const std::function<std::string(std::string)>& change,
                              const std::string& type = "application/vnd.oci.image.manifest.v1+json") {
    Files files = oci_files({kLayer}, "a:v1");
    std::string manifest;
    for (const auto& [path, content] : files)
        if (path.starts_with("blobs/") && content.find("\"layers\":[{") != std::string::npos)
            manifest = content;
    const std::string descriptor = add_blob(files, type, change(manifest));
    files["index.json"] = R"({"schemaVersion":2,"manifests":[)" + descriptor + "]}";
    return tar_of(files);
}

class HostileArchive : public testing::TestWithParam<Row> {};

TEST_P(HostileArchive, IsRefusedAndLeavesNothing) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const Error error = import_error(*store, scratch, GetParam().bytes());
    EXPECT_NE(error.what().find(GetParam().error), std::string::npos) << error.what();
    EXPECT_TRUE(store->list().value().empty());
    EXPECT_TRUE(store->pin_owners().value().empty());
    for (const char* name : {"layers", "ingest", "blobs/sha256"})
        EXPECT_TRUE(names_in(scratch / "store/" + name).empty()) << name;
}

INSTANTIATE_TEST_SUITE_P(
    Table, HostileArchive,
    testing::Values(
        Row{"Empty", "neither a docker-archive", [] { return std::string(); }},
        Row{"NotAnArchive", "Unrecognized archive format", [] { return std::string(9999, 'q'); }},
        Row{"NoImage", "neither a docker-archive", [] { return make_tar({{.path = "a"}}); }},
        Row{"Schema1Save", "before 1.10", [] { return make_tar({{.path = "repositories", .data = "{}"}}); }},
        Row{"EntryOutside", "leads out", [] { return make_tar({{.path = "../manifest.json"}}); }},
        Row{"LinkOutside", "leads out",
            [] { return make_tar({symlink("manifest.json", "../../etc/passwd")}); }},
        Row{"LinkLoop", "too many links",
            [] {
                return make_tar({{.path = "manifest.json", .data = R"([{"Config":"a","Layers":[]}])"},
                                 symlink("a", "b"),
                                 symlink("b", "a")});
            }},
        Row{"LayerBytesChanged", "the layer's",
            [] { return oci([](Files& f) { f[layer_file(f)][50'000] ^= 1; }); }},
        Row{"LayerTruncated", "bytes long, not",
            [] { return oci([](Files& f) { f[layer_file(f)].resize(5000); }); }},
        Row{"LayerMissing", "is not in the archive",
            [] { return oci([](Files& f) { f.erase(layer_file(f)); }); }},
        Row{"ManifestBytesChanged", "has another digest",
            [] {
                return oci([](Files& f) {
                    for (auto& [path, content] : f)
                        if (path.starts_with("blobs/"))
                            replace_all(content, "schemaVersion", "schemaVersioN");
                });
            }},
        Row{"BothLayersAndManifests", "both an index and a manifest",
            [] {
                return oci_with_manifest([](std::string m) {
                    m.insert(1, R"("manifests":[],)");
                    return m;
                });
            }},
        Row{"ManifestSaysIndex", "mediaType",
            [] {
                return oci_with_manifest([](std::string m) {
                    m.insert(1, R"("mediaType":"application/vnd.oci.image.index.v1+json",)");
                    return m;
                });
            }},
        Row{"IndexTypeForAManifest", "does not agree",
            [] {
                return oci_with_manifest([](std::string m) { return m; },
                                         "application/vnd.oci.image.index.v1+json");
            }},
        Row{"IndexOfItself", "",
            [] {
                return oci([](Files& f) {
                    std::string descriptor;
                    for (int i = 0; i < 6; ++i) {
                        const std::string body = R"({"schemaVersion":2,"manifests":[)" + descriptor + "]}";
                        descriptor = add_blob(f, "application/vnd.oci.image.index.v1+json", body);
                    }
                    f["index.json"] = R"({"schemaVersion":2,"manifests":[)" + descriptor + "]}";
                });
            }},
        Row{"LayoutVersion", "is not supported",
            [] { return oci([](Files& f) { f["oci-layout"] = R"({"imageLayoutVersion":"2.0.0"})"; }); }},
        Row{"IndexTooLarge", "larger than 4 MiB",
            [] { return oci([](Files& f) { f["index.json"] = std::string(5u << 20, ' '); }); }},
        Row{"WrongDiffId", "not the DiffID of the config",
            [] { return docker([](Files& f) { f["l0/layer.tar"] = make_tar({{.path = "evil"}}); }); }},
        Row{"ConfigUnderAnotherName", "has another digest",
            [] {
                return docker([](Files& f) {
                    for (auto& [path, content] : f)
                        if (path.ends_with(".json") && path != "manifest.json") content += " ";
                });
            }},
        Row{"FewerDiffIdsThanLayers", "DiffIDs",
            [] {
                return docker([](Files& f) {
                    replace_all(f["manifest.json"], R"("l0/layer.tar")", R"("l0/layer.tar","l0/layer.tar")");
                });
            }},
        Row{"ConfigOutside", "leads out",
            [] {
                return docker(
                    [](Files& f) { f["manifest.json"] = R"([{"Config":"../../etc/passwd","Layers":[]}])"; });
            }},
        Row{"BadName", "image reference",
            [] { return docker([](Files& f) { replace_all(f["manifest.json"], "a:v1", "A B:v1"); }); }},
        Row{"GzipTruncated", "truncated",
            [] {
                Files files = docker_files({{kLayer.tar, Squeeze::Gzip}}, {"a"});
                files["l0/layer.tar"].resize(files["l0/layer.tar"].size() - 20);
                return tar_of(files);
            }},
        Row{"ArchiveTruncated", "runcated",
            [] {
                const std::string whole = tar_of(docker_files({kLayer}, {"a"}));
                return whole.substr(0, whole.find("manifest.json") - 50'000);
            }},
        Row{"LayerEscapes", "leads out",
            [] { return tar_of(docker_files({{make_tar({{.path = "../x"}})}}, {"a"})); }},
        Row{"SecondLayerEscapes", "is a symbolic link",
            [] {
                return tar_of(
                    docker_files({kLayer, {make_tar({symlink("l", "/tmp"), {.path = "l/x"}})}}, {"a"}));
            }}),
    [](const auto& row) { return row.param.name; });

TEST(HostileArchive, AReferenceByDigestMustMatch) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const std::string bytes = tar_of(oci_files({kLayer}, "a:v1"));
    const std::string wrong = "a@sha256:" + std::string(64, '0');
    EXPECT_NE(import_error(*store, scratch, bytes, wrong).what().find("another digest"), std::string::npos);
    EXPECT_NE(
        import_error(*store, scratch, tar_of(docker_files({kLayer}, {"a"})), wrong).what().find("has none"),
        std::string::npos);
    const Image image = import_one(*store, scratch, bytes);
    EXPECT_EQ(import_one(*store, scratch, bytes, image.repo_digests.at(0)).id, image.id);
}

TEST(HostileArchive, AFifoOrADeviceIsNotWaitedFor) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    ASSERT_EQ(mkfifo((scratch / "fifo").c_str(), 0600), 0);
    EXPECT_FALSE(store->import_archive(scratch / "fifo", "", {}).ok());
    EXPECT_FALSE(store->import_archive("/dev/zero", "", {}).ok());
    EXPECT_EQ(store->import_archive(scratch / "none", "", {}).error().kind(), Kind::NotFound);
    Files files = oci_files({kLayer}, "a:v1");
    files.erase("index.json");
    write_files(scratch / "layout", files);
    ASSERT_EQ(mkfifo((scratch / "layout/index.json").c_str(), 0600), 0);
    EXPECT_FALSE(store->import_archive(scratch / "layout", "", {}).ok());
}

TEST(HostileArchive, ALayoutDirectoryCannotPointOutsideItself) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    Files files = oci_files({kLayer}, "a:v1");
    const std::string index = files["index.json"];
    files.erase("index.json");
    write_files(scratch / "layout", files);
    std::filesystem::create_symlink(scratch.file("outside.json", index), scratch / "layout/index.json");
    EXPECT_FALSE(store->import_archive(scratch / "layout", "", {}).ok());
}

}  // namespace
}  // namespace orlop::images
