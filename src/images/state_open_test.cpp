// What a second process, a wrong directory, a crash and damage do to a store.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>

#include "images/test_support.h"

namespace orlop::images {
namespace {

using namespace test;

TEST(StoreOpen, TheSecondOpenerLearnsWhoHoldsIt) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const auto second = Store::open(scratch / "store");
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind(), Kind::Unavailable);
    EXPECT_NE(second.error().what().find("process " + std::to_string(getpid())), std::string::npos);
}

TEST(StoreOpen, RefusesADirectoryThatOthersCanWrite) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    const Scratch scratch;
    ASSERT_TRUE(make_dirs(scratch / "store").ok());
    ASSERT_EQ(chmod((scratch / "store").c_str(), 0777), 0);
    EXPECT_EQ(Store::open(scratch / "store").error().kind(), Kind::Precondition);
    ASSERT_EQ(chmod((scratch / "store").c_str(), 0755), 0);
    ASSERT_EQ(chown((scratch / "store").c_str(), 1000, 1000), 0);
    EXPECT_EQ(Store::open(scratch / "store").error().kind(), Kind::Precondition);
    ASSERT_EQ(chown((scratch / "store").c_str(), 0, 0), 0);
    EXPECT_TRUE(Store::open(scratch / "store").ok());
    struct stat st {};
    ASSERT_EQ(stat((scratch / "store").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 0700u);
}

TEST(StoreOpen, WhatAnInterruptedImportLeftIsGoneAfterOpen) {
    const Scratch scratch;
    Image image;
    {
        const auto store = open_store(scratch);
        image = import_one(*store, scratch, docker_archive({base_layer()}, {"a"}));
    }
    write_files(scratch / "store/ingest/0123", {{"layer/deep/file", "x"}});
    write_files(scratch / "store/layers/" + std::string(64, 'f'), {{"file", "x"}});
    write_files(scratch / "store/blobs/sha256", {{std::string(64, 'e'), "x"}});
    const auto store = open_store(scratch);
    EXPECT_TRUE(names_in(scratch / "store/ingest").empty());
    EXPECT_EQ(layer_names(scratch).size(), 1u);
    EXPECT_EQ(names_in(scratch / "store/blobs/sha256"), std::vector<std::string>{image.id.substr(7)});
    EXPECT_EQ(store->find("a").value()->id, image.id);
}

// Imports in a process of its own, which kills itself at its n-th report of progress; whether it was killed.
bool import_and_die(const std::string& root, const std::string& path, int reports) {
    const pid_t pid = fork();
    if (pid == 0) {
        auto store = Store::open(root);
        int left = reports;
        const auto die = [&](const Progress&) {
            if (--left == 0) kill(getpid(), SIGKILL);
        };
        const bool good = store && (*store)->import_archive(path, "", die);
        _exit(good ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

TEST(StoreOpen, AnImportKilledAtAnyPointLeavesNoHalfImage) {
    const Scratch scratch;
    const TestLayer big{make_tar({{.path = "big", .data = std::string(3u << 20, 'b')}})};
    const std::string path = scratch.file("a.tar", docker_archive({base_layer(), big, top_layer()}, {"a"}));
    int reports = 1;
    for (; import_and_die(scratch / "store", path, reports); ++reports) {
        const auto store = open_store(scratch);
        const auto image = store->find("a").value();
        EXPECT_EQ(layer_names(scratch).size(), image ? 3u : 0u);
        EXPECT_TRUE(names_in(scratch / "store/ingest").empty());
        EXPECT_TRUE(store->pin_owners().value().empty());
        ASSERT_TRUE(store->remove("a").ok());
    }
    EXPECT_GT(reports, 5);
    EXPECT_TRUE(open_store(scratch)->find("a").value().has_value());
}

TEST(StoreOpen, AnImageThatLostALayerOrItsConfigIsDroppedAndCanBeImportedAgain) {
    const Scratch scratch;
    const std::string bytes = docker_archive({base_layer()}, {"a"});
    Image image;
    {
        const auto store = open_store(scratch);
        image = import_one(*store, scratch, bytes);
    }
    std::filesystem::remove_all(scratch / "store/layers/" + image.layers[0].substr(7));
    {
        const auto store = open_store(scratch);
        EXPECT_TRUE(store->list().value().empty());
        image = import_one(*store, scratch, bytes);
    }
    scratch.file("store/blobs/sha256/" + image.id.substr(7), "{}");
    const auto store = open_store(scratch);
    EXPECT_TRUE(store->list().value().empty());
    EXPECT_TRUE(layer_names(scratch).empty());
}

TEST(StoreOpen, EverythingIsThereAgainAfterReopening) {
    const Scratch scratch;
    Image before;
    {
        const auto store = open_store(scratch);
        before = import_one(*store, scratch,
                            tar_of(oci_files({base_layer(), top_layer()}, "a:v1", R"({"Cmd":["x"]})")));
    }
    const auto store = open_store(scratch);
    const auto after = store->find("a:v1").value();
    ASSERT_TRUE(after.has_value());
    EXPECT_EQ(after->id, before.id);
    EXPECT_EQ(after->repo_digests, before.repo_digests);
    EXPECT_EQ(after->layers, before.layers);
    EXPECT_EQ(after->config.cmd, std::vector<std::string>{"x"});
    EXPECT_EQ(after->config_json, before.config_json);
    EXPECT_EQ(after->size, before.size);
}

}  // namespace
}  // namespace orlop::images
