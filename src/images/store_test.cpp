#include "images/store.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/undo.h"
#include "images/test_support.h"

namespace orlop::images {
namespace {

using namespace test;

TEST(Store, ADockerArchiveOfTwoLayersGivesTheRightTreeThroughOverlayfs) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const Image image =
        import_one(*store, scratch, docker_archive({base_layer(), top_layer()}, {"two:v1", "other"}));
    EXPECT_EQ(image.repo_tags,
              (std::vector<std::string>{"docker.io/library/other:latest", "docker.io/library/two:v1"}));
    EXPECT_TRUE(image.repo_digests.empty());
    EXPECT_EQ(image.layers, (std::vector<std::string>{sha256_of(base_layer().tar).str(),
                                                      sha256_of(top_layer().tar).str()}));
    const auto lowers = store->pin_layers(image.id, "container");
    ASSERT_TRUE(lowers.ok());
    ASSERT_EQ(lowers->size(), 2u);
    const std::string merged = scratch / "merged";
    ASSERT_TRUE(make_dirs(merged).ok());
    const std::string options = "lowerdir=" + lowers->at(0) + ":" + lowers->at(1);
    if (mount("overlay", merged.c_str(), "overlay", MS_RDONLY, options.c_str()) != 0)
        GTEST_SKIP() << "needs root and overlayfs: " << strerror(errno);
    UndoStack undo;
    undo.push("umount",
              [&]() -> Status { return umount(merged.c_str()) == 0 ? ok() : Status(Error::sys("umount")); });
    EXPECT_EQ(names_in(merged), (std::vector<std::string>{"bin", "etc", "opt"}));
    EXPECT_EQ(names_in(merged + "/etc"), (std::vector<std::string>{"keep", "new"}));
    EXPECT_EQ(names_in(merged + "/opt"), std::vector<std::string>{"only"});
    EXPECT_EQ(read_file(merged + "/bin/sh").value(), "shell");
    EXPECT_TRUE(undo.unwind().ok());
}

TEST(Store, EveryCompressionOfArchiveAndLayersIsRecognizedByItsContent) {
    for (const Squeeze outer : {Squeeze::None, Squeeze::Gzip, Squeeze::Zstd, Squeeze::Xz}) {
        const Scratch scratch;
        const auto store = open_store(scratch);
        TestLayer one = base_layer(), two = top_layer();
        one.squeeze = Squeeze::Zstd;
        two.squeeze = Squeeze::Gzip;
        const Image image = import_one(*store, scratch, tar_of(oci_files({one, two}, "a:v1"), outer));
        EXPECT_EQ(image.layers.size(), 2u);
        EXPECT_EQ(read_file(store->pin_layers(image.id, "c").value().at(0) + "/etc/new").value(), "new");
        EXPECT_TRUE(names_in(scratch / "store/ingest").empty());
    }
}

TEST(Store, LayersOfAnArchiveMayBeLinksAndInAnyOrder) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const TestLayer layer = base_layer();
    const std::string config = config_for({layer, top_layer()});
    const Image image = import_one(
        *store, scratch,
        make_tar({{.path = "z/layer.tar", .data = top_layer().tar},
                  symlink("b/layer.tar", "../a/layer.tar"),
                  hard_link("c/layer.tar", "z/layer.tar"),
                  {.path = "manifest.json",
                   .data = R"([{"Config":"c","RepoTags":["x"],"Layers":["b/layer.tar","c/layer.tar"]}])"},
                  {.path = "c", .data = config},
                  {.path = "a/layer.tar", .data = layer.tar}}));
    EXPECT_EQ(image.layers.size(), 2u);
}

TEST(Store, AnOciLayoutDirectoryIsImportedAndFoundByItsDigest) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    write_files(scratch / "layout", oci_files({base_layer()}, "host:5000/app:v2", R"({"User":"7"})"));
    const auto images = store->import_archive(scratch / "layout", "", {});
    ASSERT_TRUE(images.ok()) << images.error().what();
    const Image& image = images->at(0);
    EXPECT_EQ(image.repo_tags, std::vector<std::string>{"host:5000/app:v2"});
    ASSERT_EQ(image.repo_digests.size(), 1u);
    EXPECT_EQ(image.config.user, "7");
    EXPECT_EQ(store->find(image.repo_digests[0]).value()->id, image.id);
    EXPECT_EQ(store->find(image.id.substr(7, 12)).value()->id, image.id);
    EXPECT_EQ(names_in(scratch / "store/blobs/sha256").size(), 2u);
}

TEST(Store, TheReferenceOfTheCallerReplacesTheNamesInside) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const Image image =
        import_one(*store, scratch, docker_archive({base_layer()}, {"inside:v1"}), "quay.io/a/b:c");
    EXPECT_EQ(image.repo_tags, std::vector<std::string>{"quay.io/a/b:c"});
    EXPECT_FALSE(store->find("inside:v1").value().has_value());
}

TEST(Store, ABareTagIsNoName) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const std::string bytes = tar_of(oci_files({base_layer()}, "v1"));
    EXPECT_NE(import_error(*store, scratch, bytes).what().find("say what reference"), std::string::npos);
    EXPECT_EQ(import_one(*store, scratch, bytes, "app:v1").repo_tags.at(0), "docker.io/library/app:v1");
}

TEST(Store, OfAMultiPlatformIndexTheHostsImageIsTaken) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    Files files = oci_files({base_layer()}, "");
    std::string mine = files["index.json"];
    mine = mine.substr(mine.find("[{") + 1);
    mine.resize(mine.size() - 2);
    mine.insert(mine.size() - 1, R"(,"platform":{"os":"linux","architecture":"amd64"})");
    std::string other = mine;
    other.replace(other.find("amd64"), 5, "s390x");
    const std::string nested = add_blob(files, "application/vnd.oci.image.index.v1+json",
                                        R"({"schemaVersion":2,"manifests":[)" + other + "," + mine + "]}");
    files["index.json"] = R"({"schemaVersion":2,"manifests":[)" + nested + "]}";
#if !defined(__x86_64__)
    GTEST_SKIP() << "needs an amd64 machine: the archive has no image for another";
#endif
    const Image image = import_one(*store, scratch, tar_of(files), "multi:v1");
    EXPECT_EQ(image.layers.size(), 1u);
    EXPECT_NE(nested.find(image.repo_digests.at(0).substr(image.repo_digests.at(0).find('@') + 1)),
              std::string::npos);
}

TEST(Store, ATagMovesToTheImageImportedLast) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const Image old = import_one(*store, scratch, docker_archive({small_layer("a")}, {"app:v1"}));
    const Image young = import_one(*store, scratch, docker_archive({small_layer("b")}, {"app:v1"}));
    EXPECT_NE(old.id, young.id);
    EXPECT_EQ(store->find("app:v1").value()->id, young.id);
    EXPECT_TRUE(store->find(old.id).value()->repo_tags.empty());
    EXPECT_EQ(store->list().value().size(), 2u);
}

TEST(Store, RemovingAnImageKeepsTheLayersThatOthersShare) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    import_one(*store, scratch, docker_archive({base_layer(), small_layer("a")}, {"a"}));
    import_one(*store, scratch, docker_archive({base_layer(), small_layer("b")}, {"b"}));
    EXPECT_EQ(layer_names(scratch).size(), 3u);
    ASSERT_TRUE(store->remove("a").ok());
    EXPECT_FALSE(store->find("a").value().has_value());
    EXPECT_EQ(layer_names(scratch).size(), 2u);
    EXPECT_EQ(read_file(store->pin_layers("b", "c").value().at(1) + "/bin/sh").value(), "shell");
    ASSERT_TRUE(store->unpin_layers("c").ok());
    ASSERT_TRUE(store->remove("b").ok());
    EXPECT_TRUE(store->remove("b").ok());
    EXPECT_TRUE(layer_names(scratch).empty());
    EXPECT_TRUE(names_in(scratch / "store/blobs/sha256").empty());
    EXPECT_TRUE(names_in(scratch / "store/ingest").empty());
}

TEST(Store, PinnedLayersOutliveTheirImageAndTheProcess) {
    const Scratch scratch;
    std::vector<std::string> paths;
    {
        const auto store = open_store(scratch);
        const Image image = import_one(*store, scratch, docker_archive({base_layer(), top_layer()}, {"a"}));
        paths = store->pin_layers(image.id, "one").value();
        EXPECT_EQ(store->pin_layers("a", "two").value(), paths);
        ASSERT_TRUE(store->remove("a").ok());
        EXPECT_TRUE(std::filesystem::exists(paths[0] + "/etc/new"));
    }
    const auto store = open_store(scratch);
    EXPECT_TRUE(store->list().value().empty());
    EXPECT_EQ(store->pin_owners().value(), (std::vector<std::string>{"one", "two"}));
    EXPECT_TRUE(std::filesystem::exists(paths[1] + "/bin/sh"));
    ASSERT_TRUE(store->unpin_layers("one").ok());
    EXPECT_TRUE(std::filesystem::exists(paths[1] + "/bin/sh"));
    ASSERT_TRUE(store->unpin_layers("two").ok());
    EXPECT_TRUE(layer_names(scratch).empty());
    EXPECT_EQ(store->pin_layers("a", "three").error().kind(), Kind::NotFound);
}

TEST(Store, ARepeatedLayerIsGivenToOverlayfsOnce) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const Image image = import_one(
        *store, scratch, docker_archive({small_layer("a"), small_layer("b"), small_layer("a")}, {"x"}));
    EXPECT_EQ(image.layers.size(), 3u);
    const auto paths = store->pin_layers(image.id, "c").value();
    ASSERT_EQ(paths.size(), 2u);
    EXPECT_TRUE(std::filesystem::exists(paths[0] + "/a"));
}

TEST(Store, NothingBelowAnOpaqueRootIsMounted) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const TestLayer opaque{make_tar({{.path = ".wh..wh..opq"}, {.path = "only"}})};
    const Image image = import_one(*store, scratch, docker_archive({small_layer("a"), opaque}, {"x"}));
    EXPECT_EQ(store->pin_layers(image.id, "c").value().size(), 1u);
}

TEST(Store, ALayerWithoutItsDirectoriesIsKeptForEachStackItStandsOn) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const TestLayer bare{make_tar({{.path = "tmp/x"}})};
    const TestLayer sticky{make_tar({directory("tmp", 01777)})};
    const TestLayer closed{make_tar({directory("tmp", 0700)})};
    import_one(*store, scratch, docker_archive({sticky, bare}, {"sticky"}));
    import_one(*store, scratch, docker_archive({closed, bare}, {"closed"}));
    const auto mode = [&](const std::string& name) {
        struct stat st {};
        EXPECT_EQ(stat((store->pin_layers(name, "c").value().at(0) + "/tmp").c_str(), &st), 0);
        return st.st_mode & 07777u;
    };
    EXPECT_EQ(mode("sticky"), 01777u);
    EXPECT_EQ(mode("closed"), 0700u);
    import_one(*store, scratch, docker_archive({closed, bare}, {"again"}));
    EXPECT_EQ(layer_names(scratch).size(), 4u);
}

uint64_t disk_bytes(const std::string& path, uint64_t& inodes) {
    struct stat st {};
    EXPECT_EQ(lstat(path.c_str(), &st), 0);
    uint64_t bytes = static_cast<uint64_t>(st.st_blocks) * 512;
    ++inodes;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
        EXPECT_EQ(lstat(entry.path().c_str(), &st), 0);
        bytes += static_cast<uint64_t>(st.st_blocks) * 512;
        ++inodes;
    }
    return bytes;
}

TEST(Store, UsageIsWhatTheDiskSays) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const TestLayer big{make_tar({{.path = "big", .data = std::string(1u << 20, 'b')}})};
    import_one(*store, scratch, docker_archive({base_layer(), big}, {"a"}));
    uint64_t inodes = 0;
    const uint64_t bytes = disk_bytes(scratch / "store", inodes);
    const auto usage = store->usage();
    ASSERT_TRUE(usage.ok()) << usage.error().what();
    EXPECT_EQ(usage->bytes, bytes);
    EXPECT_EQ(usage->inodes, inodes);
    EXPECT_GE(store->find("a").value()->size, 1u << 20);
}

TEST(Store, ProgressEndsWithDoneAndCountsEveryByteOfALayer) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const TestLayer big{make_tar({{.path = "big", .data = std::string(3u << 20, 'b')}})};
    std::vector<Progress> seen;
    const auto r = store->import_archive(scratch.file("a.tar", docker_archive({big}, {"a"})), "",
                                         [&](const Progress& p) { seen.push_back(p); });
    ASSERT_TRUE(r.ok());
    ASSERT_GE(seen.size(), 4u);
    EXPECT_EQ(seen.front().stage, "read");
    EXPECT_EQ(seen.back().stage, "done");
    const Progress& last = seen[seen.size() - 2];
    EXPECT_EQ(last.stage, "unpack");
    EXPECT_EQ(last.layer, r->at(0).layers.at(0));
    EXPECT_EQ(last.done, big.tar.size());
    EXPECT_EQ(last.total, big.tar.size());
}

TEST(Store, SeveralThreadsMayImportListPinAndRemove) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    std::atomic<int> failures = 0;
    const auto work = [&](int id) {
        const std::string name = "image" + std::to_string(id);
        const std::string path =
            scratch.file(name, docker_archive({base_layer(), small_layer(name), top_layer()}, {name}));
        for (int round = 0; round < 5; ++round) {
            const auto images = store->import_archive(path, "", {});
            const auto pinned = images ? store->pin_layers(name, name) : images.error();
            const bool good = pinned && std::filesystem::exists(pinned->at(1) + "/" + name) &&
                              store->list() && store->usage() && store->remove(name) &&
                              std::filesystem::exists(pinned->at(1) + "/" + name) &&
                              store->unpin_layers(name);
            if (!good) ++failures;
        }
    };
    std::vector<std::thread> threads;
    for (int id = 0; id < 3; ++id) threads.emplace_back(work, id);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(failures, 0);
    EXPECT_TRUE(layer_names(scratch).empty());
    EXPECT_TRUE(names_in(scratch / "store/ingest").empty());
}

}  // namespace
}  // namespace orlop::images
