// Root filesystems without any image metadata, and archives made by other people's tools.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <filesystem>

#include "base/spawn.h"
#include "images/test_support.h"

namespace orlop::images {
namespace {

using namespace test;

void make_tree(const Scratch& scratch, const std::string& name) {
    const std::string top = scratch / name;
    write_files(top, {{"bin/sh", "shell"}, {"etc/passwd", "root"}, {"e\xcc\x81", "decomposed"}});
    ASSERT_EQ(chmod((top + "/bin/sh").c_str(), 04755), 0);
    ASSERT_EQ(lchown((top + "/etc/passwd").c_str(), 12, 34), 0);
    ASSERT_EQ(link((top + "/bin/sh").c_str(), (top + "/bin/ash").c_str()), 0);
    ASSERT_EQ(::symlink("/etc/passwd", (top + "/link").c_str()), 0);
    ASSERT_EQ(mkfifo((top + "/fifo").c_str(), 0620), 0);
    ASSERT_EQ(chmod((top + "/fifo").c_str(), 0620), 0);
    ASSERT_EQ(mknod((top + "/null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
    ASSERT_EQ(setxattr((top + "/etc/passwd").c_str(), "user.k", "v\0w", 3, 0), 0);
    for (const char* path :
         {"/bin/sh", "/etc/passwd", "/e\xcc\x81", "/link", "/fifo", "/null", "/bin", "/etc", ""}) {
        const timespec times[2] = {{5, 0}, {1'500'000'000, 123'456'789}};
        ASSERT_EQ(utimensat(AT_FDCWD, (top + path).c_str(), times, AT_SYMLINK_NOFOLLOW), 0) << path;
    }
}

TEST(RootfsImport, ADirectoryBecomesOneLayerWithEverythingInIt) {
    const Scratch scratch;
    make_tree(scratch, "tree");
    const auto store = open_store(scratch);
    const auto image = store->import_rootfs(
        {scratch / "tree", "mine:v1", {"/bin/sh"}, {"-c", "true"}, {"A=b"}, "/etc", "12"}, {});
    ASSERT_TRUE(image.ok()) << image.error().what();
    EXPECT_EQ(image->repo_tags, std::vector<std::string>{"docker.io/library/mine:v1"});
    EXPECT_EQ(image->config.entrypoint, std::vector<std::string>{"/bin/sh"});
    EXPECT_EQ(image->config.working_dir, "/etc");
    EXPECT_EQ(image->config.user, "12");
    EXPECT_EQ(image->config.os, "linux");
    const std::string layer = store->pin_layers("mine:v1", "c").value().at(0);
    const auto at = [&](const std::string& name) {
        struct stat st {};
        EXPECT_EQ(lstat((layer + "/" + name).c_str(), &st), 0) << name;
        return st;
    };
    EXPECT_EQ(at("bin/sh").st_mode & 07777, 04755u);
    EXPECT_EQ(at("bin/sh").st_ino, at("bin/ash").st_ino);
    EXPECT_EQ(at("etc/passwd").st_uid, 12u);
    EXPECT_EQ(at("etc/passwd").st_gid, 34u);
    EXPECT_EQ(at("etc/passwd").st_mtim.tv_nsec, 123'456'789);
    EXPECT_EQ(at("etc").st_mtim.tv_sec, 1'500'000'000);
    EXPECT_EQ(at(".").st_mtim.tv_sec, 1'500'000'000);
    EXPECT_EQ(at("fifo").st_mode & 07777, 0620u);
    EXPECT_EQ(at("null").st_rdev, makedev(1, 3));
    EXPECT_EQ(std::filesystem::read_symlink(layer + "/link"), "/etc/passwd");
    char value[8];
    ASSERT_EQ(getxattr((layer + "/etc/passwd").c_str(), "user.k", value, sizeof value), 3);
    EXPECT_EQ(std::string(value, 3), std::string("v\0w", 3));
    EXPECT_EQ(read_file(layer + "/e\xcc\x81").value(), "decomposed");
    EXPECT_EQ(std::filesystem::path(layer).filename(), image->layers.at(0).substr(7));
}

TEST(RootfsImport, EqualTreesGiveTheSameImageId) {
    const Scratch scratch;
    make_tree(scratch, "one");
    make_tree(scratch, "two");
    const auto store = open_store(scratch);
    const auto one = store->import_rootfs({scratch / "one", "one", {}, {"x"}, {}, "", ""}, {});
    const auto two = store->import_rootfs({scratch / "two", "two", {}, {"x"}, {}, "", ""}, {});
    ASSERT_TRUE(one.ok() && two.ok());
    EXPECT_EQ(one->id, two->id);
    EXPECT_EQ(two->repo_tags.size(), 2u);
    EXPECT_EQ(names_in(scratch / "store/layers").size(), 1u);
    scratch.file("two/etc/passwd", "changed");
    EXPECT_NE(store->import_rootfs({scratch / "two", "two", {}, {"x"}, {}, "", ""}, {})->id, one->id);
}

TEST(RootfsImport, ATarOfAnyCompressionIsTaken) {
    for (const Squeeze squeeze : {Squeeze::None, Squeeze::Gzip, Squeeze::Zstd, Squeeze::Xz}) {
        const Scratch scratch;
        const auto store = open_store(scratch);
        const std::string tar = make_tar({directory("./", 0711), {.path = "./bin/sh", .data = "shell"}});
        const std::string path = scratch.file("rootfs.tar", compress(tar, squeeze));
        const auto image = store->import_rootfs({path, "t", {}, {}, {}, "", ""}, {});
        ASSERT_TRUE(image.ok()) << image.error().what();
        EXPECT_EQ(image->layers, std::vector<std::string>{sha256_of(tar).str()});
        EXPECT_EQ(read_file(store->pin_layers(image->id, "c").value().at(0) + "/bin/sh").value(), "shell");
    }
}

TEST(RootfsImport, DoesNotCrossMounts) {
    const Scratch scratch;
    make_tree(scratch, "tree");
    write_files(scratch / "tree/mnt", {});
    ASSERT_TRUE(make_dirs(scratch / "tree/mnt").ok());
    write_files(scratch / "other", {{"secret", "x"}});
    const std::string at = scratch / "tree/mnt";
    // A bind mount of the same file system: only its mount id tells.
    if (mount((scratch / "other").c_str(), at.c_str(), nullptr, MS_BIND, nullptr) != 0)
        GTEST_SKIP() << "needs root to mount: " << strerror(errno);
    const auto store = open_store(scratch);
    const auto image = store->import_rootfs({scratch / "tree", "t", {}, {}, {}, "", ""}, {});
    EXPECT_EQ(umount(at.c_str()), 0);
    ASSERT_TRUE(image.ok()) << image.error().what();
    EXPECT_TRUE(names_in(store->pin_layers("t", "c").value().at(0) + "/mnt").empty());
}

TEST(RootfsImport, SaysWhatItCannotTake) {
    const Scratch scratch;
    const auto store = open_store(scratch);
    const auto error = [&](const std::string& path, const std::string& reference) {
        const auto r = store->import_rootfs({path, reference, {}, {}, {}, "", ""}, {});
        return r ? "it worked" : r.error().what();
    };
    write_files(scratch / "layer", {{"etc/.wh.x", ""}});
    EXPECT_NE(error(scratch / "layer", "t").find("whiteout"), std::string::npos);
    EXPECT_NE(error(scratch.path(), "t").find("contains the image store itself"), std::string::npos);
    EXPECT_NE(error(scratch / "store", "t").find("contains the image store itself"), std::string::npos);
    EXPECT_NE(error(scratch / "layer", "").find("image reference"), std::string::npos);
    EXPECT_NE(error(scratch / "layer", "a@sha256:" + std::string(64, '0')).find("no digest"),
              std::string::npos);
    EXPECT_NE(error(scratch / "none", "t").find("No such file"), std::string::npos);
    EXPECT_TRUE(names_in(scratch / "store/ingest").empty());
}

bool have(const std::string& program) {
    return access(program.c_str(), X_OK) == 0;
}

void run(const std::vector<std::string>& argv) {
    const auto r = run_command({.argv = argv, .env = current_env()}, "", std::chrono::seconds(60));
    ASSERT_TRUE(r.ok()) << r.error().what();
    ASSERT_TRUE(r->succeeded()) << argv[0] << ": " << r->err;
}

TEST(OtherTools, ALayoutThatUmociMadeIsImported) {
    if (!have("/usr/bin/umoci")) GTEST_SKIP() << "needs umoci";
    const Scratch scratch;
    write_files(scratch / "add", {{"hello", "from umoci"}});
    const std::string layout = scratch / "layout";
    run({"/usr/bin/umoci", "init", "--layout", layout});
    run({"/usr/bin/umoci", "new", "--image", layout + ":v1"});
    run({"/usr/bin/umoci", "insert", "--image", layout + ":v1", scratch / "add", "/opt"});
    run({"/usr/bin/umoci", "config", "--image", layout + ":v1", "--config.user", "99", "--config.cmd",
         "/opt/hello"});
    const auto store = open_store(scratch);
    const auto images = store->import_archive(layout, "umoci:v1", {});
    ASSERT_TRUE(images.ok()) << images.error().what();
    EXPECT_EQ(images->at(0).config.user, "99");
    const auto layers = store->pin_layers("umoci:v1", "c").value();
    EXPECT_EQ(read_file(layers.at(0) + "/opt/hello").value(), "from umoci");
}

TEST(OtherTools, WhatSkopeoConvertsIsTheSameImageInEveryFormat) {
    if (!have("/usr/bin/skopeo")) GTEST_SKIP() << "needs skopeo";
    const Scratch scratch;
    const TestLayer one{make_tar({directory("bin"), {.path = "bin/sh", .data = "shell"}})};
    const TestLayer two{make_tar({directory("bin"), {.path = "bin/.wh.sh"}})};
    write_files(scratch / "layout", oci_files({{one.tar, Squeeze::Gzip}, {two.tar, Squeeze::Gzip}}, "v1"));
    const std::string from = "oci:" + (scratch / "layout") + ":v1";
    run({"/usr/bin/skopeo", "--insecure-policy", "copy", from,
         "docker-archive:" + (scratch / "docker.tar") + ":app:v1"});
    run({"/usr/bin/skopeo", "--insecure-policy", "copy", from,
         "oci-archive:" + (scratch / "oci.tar") + ":v1"});
    const auto store = open_store(scratch);
    const auto docker = store->import_archive(scratch / "docker.tar", "", {});
    ASSERT_TRUE(docker.ok()) << docker.error().what();
    EXPECT_EQ(docker->at(0).repo_tags, std::vector<std::string>{"docker.io/library/app:v1"});
    const auto oci = store->import_archive(scratch / "oci.tar", "app:v2", {});
    ASSERT_TRUE(oci.ok()) << oci.error().what();
    EXPECT_EQ(oci->at(0).layers, docker->at(0).layers);
    EXPECT_EQ(names_in(scratch / "store/layers").size(), 2u);
}

TEST(OtherTools, GnuTarsFormatsAreRead) {
    if (!have("/usr/bin/tar")) GTEST_SKIP() << "needs GNU tar";
    const Scratch scratch;
    const std::string deep = std::string(120, 'd') + "/" + std::string(120, 'e');
    write_files(scratch / "tree", {{deep + "/" + std::string(150, 'f'), "deep"}});
    {
        const UniqueFd fd(open((scratch / "tree/sparse").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
        ASSERT_EQ(pwrite(fd.get(), "end", 3, 4 << 20), 3);
    }
    const auto store = open_store(scratch);
    for (const std::string format : {"gnu", "posix"}) {
        const std::string tar = scratch / (format + ".tar");
        run({"/usr/bin/tar", "--format=" + format, "--sparse", "-C", scratch / "tree", "-cf", tar, "."});
        const auto image = store->import_rootfs({tar, format, {}, {}, {}, "", ""}, {});
        ASSERT_TRUE(image.ok()) << image.error().what();
        const std::string layer = store->pin_layers(format, "c").value().at(0);
        EXPECT_EQ(read_file(layer + "/" + deep + "/" + std::string(150, 'f')).value(), "deep");
        const std::string sparse = read_file(layer + "/sparse").value();
        EXPECT_EQ(sparse.size(), (4u << 20) + 3);
        EXPECT_TRUE(sparse.ends_with("end"));
        struct stat st {};
        ASSERT_EQ(stat((layer + "/sparse").c_str(), &st), 0);
        EXPECT_LT(st.st_blocks * 512, 1 << 20);
    }
}

}  // namespace
}  // namespace orlop::images
