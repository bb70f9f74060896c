#include "images/unpack.h"

#include <gtest/gtest.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "images/archive.h"
#include "images/layer_entry.h"
#include "images/test_support.h"

namespace orlop::images {
namespace {

using namespace test;

class MemoryStream final : public ByteStream {
  public:
    explicit MemoryStream(std::string bytes) : bytes_(std::move(bytes)) {}
    Result<size_t> read(char* to, size_t size) override {
        const size_t n = bytes_.copy(to, size, at_);
        at_ += n;
        return n;
    }

  private:
    std::string bytes_;
    size_t at_ = 0;
};

// A layer unpacked into a directory of its own.
class Unpacking {
  public:
    explicit Unpacking(const std::string& tar, UnpackOptions options = {})
        : dir_(std::move(Dir::make(scratch_ / "layer")).value()) {
        MemoryStream stream(tar);
        result_ = unpack_layer(stream, dir_, options);
    }
    const Result<Unpacked>& result() const { return result_; }
    std::string error() const { return result_ ? "" : result_.error().what(); }
    struct stat at(const std::string& name) const {
        struct stat st {};
        EXPECT_EQ(fstatat(dir_.fd(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW), 0) << name;
        return st;
    }
    bool is_whiteout(const std::string& name) const {
        const auto st = at(name);
        return S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0);
    }
    std::string xattr(const std::string& name, const char* attribute) const {
        char value[256];
        const ssize_t n = lgetxattr((dir_.path() + "/" + name).c_str(), attribute, value, sizeof value);
        return n < 0 ? "none" : std::string(value, static_cast<size_t>(n));
    }
    std::string content(const std::string& name) const { return dir_.read(name).value_or("unreadable"); }
    const Dir& dir() const { return dir_; }
    const Scratch& scratch() const { return scratch_; }

  private:
    Scratch scratch_;
    Dir dir_;
    Result<Unpacked> result_ = Error::failed("not run");
};

// libarchive writes one before every entry; here it takes two blocks.
std::string without_pax_header(const std::string& tar) {
    EXPECT_EQ(tar.at(156), 'x');
    return tar.substr(1024);
}

TEST(CleanPath, TakesWhatStaysInsideAndRefusesTheRest) {
    const UnpackLimits limits;
    EXPECT_EQ(clean_path("./a//b/./c/", limits).value(), "a/b/c");
    EXPECT_EQ(clean_path("/etc/passwd", limits).value(), "etc/passwd");
    EXPECT_EQ(clean_path("./", limits).value(), "");
    EXPECT_EQ(clean_path("a/...", limits).value(), "a/...");
    for (const std::string bad : {"", "..", "../a", "a/../b", "a/..", "/.."})
        EXPECT_FALSE(clean_path(bad, limits).ok()) << bad;
    EXPECT_FALSE(clean_path(std::string(256, 'n'), limits).ok());
    EXPECT_TRUE(clean_path(std::string(255, 'n'), limits).ok());
    std::string deep, long_path;
    for (int i = 0; i < 300; ++i) deep += "d/";
    for (int i = 0; i < 30; ++i) long_path += std::string(200, 'x') + "/";
    EXPECT_EQ(clean_path(deep, limits).error().kind(), Kind::Exhausted);
    EXPECT_EQ(clean_path(long_path, limits).error().kind(), Kind::Exhausted);
}

TEST(KeepXattr, LeavesOutWhatSteersTheHost) {
    EXPECT_TRUE(keep_xattr("user.a"));
    EXPECT_TRUE(keep_xattr("security.capability"));
    EXPECT_TRUE(keep_xattr("system.posix_acl_access"));
    for (const char* name :
         {"trusted.overlay.opaque", "trusted.x", "user.overlay.redirect", "security.selinux", "security.ima"})
        EXPECT_FALSE(keep_xattr(name)) << name;
}

TEST(Unpack, EveryKindOfFileComesOutAsItWentIn) {
    const std::string capability("\x01\0\0\2\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    const std::string long_name(200, 'n');
    const Unpacking u(make_tar({
        directory("./", 0750),
        directory("bin", 01777),
        {.path = "bin/su", .data = "program", .mode = 04755, .uid = 12, .gid = 34},
        {.path = "bin/ping",
         .data = "p",
         .mode = 0755,
         .xattrs = {{"security.capability", capability}, {"user.x", "y"}, {"trusted.overlay.opaque", "y"}}},
        symlink("bin/sh", "/../../etc/passwd"),
        hard_link("bin/su2", "bin/su"),
        {.path = "pipe", .type = AE_IFIFO, .mode = 0622},
        {.path = "null", .type = AE_IFCHR, .mode = 0666, .major = 1, .minor = 3},
        {.path = "disk", .type = AE_IFBLK, .mode = 0600, .major = 8, .minor = 1},
        {.path = "big-owner", .uid = 3'000'000'000, .gid = 5},
        {.path = "d/" + long_name, .data = "long"},
    }));
    ASSERT_TRUE(u.result().ok()) << u.error();
    EXPECT_EQ(u.at(".").st_mode & 07777, 0750u);
    EXPECT_EQ(u.at("bin").st_mode & 07777, 01777u);
    EXPECT_EQ(u.at("bin").st_mtim.tv_sec, 1'600'000'000);
    const auto su = u.at("bin/su");
    EXPECT_EQ(su.st_mode & 07777, 04755u);
    EXPECT_EQ(su.st_uid, 12u);
    EXPECT_EQ(su.st_gid, 34u);
    EXPECT_EQ(su.st_nlink, 2u);
    EXPECT_EQ(su.st_ino, u.at("bin/su2").st_ino);
    EXPECT_EQ(u.xattr("bin/ping", "security.capability"), capability);
    EXPECT_EQ(u.xattr("bin/ping", "user.x"), "y");
    EXPECT_EQ(u.xattr("bin/ping", "trusted.overlay.opaque"), "none");
    EXPECT_TRUE(S_ISLNK(u.at("bin/sh").st_mode));
    EXPECT_EQ(u.at("bin/sh").st_mtim.tv_sec, 1'600'000'000);
    EXPECT_TRUE(S_ISFIFO(u.at("pipe").st_mode));
    EXPECT_EQ(u.at("pipe").st_mode & 07777, 0622u);
    EXPECT_EQ(u.at("null").st_rdev, makedev(1, 3));
    EXPECT_EQ(u.at("null").st_mode & 07777, 0666u);
    EXPECT_TRUE(S_ISBLK(u.at("disk").st_mode));
    EXPECT_EQ(u.at("big-owner").st_uid, 3'000'000'000u);
    EXPECT_EQ(u.content("d/" + long_name), "long");
    EXPECT_TRUE(u.result()->implied_parents);
}

TEST(Unpack, TheDiffIdCoversEveryByteAlsoBehindTheEndMark) {
    const std::string tar = make_tar({{.path = "a"}}) + std::string(5000, 'z');
    const Unpacking u(tar);
    ASSERT_TRUE(u.result().ok()) << u.error();
    EXPECT_EQ(u.result()->diff_id, sha256_of(tar));
    EXPECT_FALSE(u.result()->implied_parents);
}

TEST(Unpack, NamesAreBytesWhateverTheirEncoding) {
    const std::string decomposed = "e\xcc\x81";
    const std::string latin1 = "caf\xe9";
    const Unpacking u(make_tar({{.path = decomposed}, {.path = latin1}, {.path = "\xc3\xa9"}}));
    ASSERT_TRUE(u.result().ok()) << u.error();
    EXPECT_EQ(u.dir().list().value(), (std::vector<std::string>{latin1, decomposed, "\xc3\xa9"}));
}

TEST(Unpack, WhiteoutsAndOpaqueDirectoriesTakeOverlayfsForm) {
    const Unpacking u(make_tar({directory("a"),
                                {.path = "a/.wh.gone"},
                                directory("b"),
                                {.path = "b/.wh..wh..opq"},
                                {.path = ".wh..wh.aufs"},
                                directory(".wh..wh.plnk"),
                                {.path = ".wh..wh.plnk/1.2"}}));
    ASSERT_TRUE(u.result().ok()) << u.error();
    EXPECT_TRUE(u.is_whiteout("a/gone"));
    EXPECT_EQ(u.xattr("b", "trusted.overlay.opaque"), "y");
    EXPECT_EQ(u.dir().list().value(), (std::vector<std::string>{"a", "b"}));
    EXPECT_FALSE(u.result()->root_opaque);
    EXPECT_TRUE(Unpacking(make_tar({{.path = ".wh..wh..opq"}})).result()->root_opaque);
}

TEST(Unpack, AWhiteoutHidesOnlyWhatIsBelowTheLayerInEitherOrder) {
    const std::vector<TarEntry> whiteouts = {{.path = ".wh.d"}, {.path = ".wh.f"}};
    const std::vector<TarEntry> things = {
        directory("d"), {.path = "d/x", .data = "x"}, {.path = "f", .data = "f"}};
    for (const bool whiteouts_first : {true, false}) {
        std::vector<TarEntry> entries = whiteouts_first ? whiteouts : things;
        const auto& rest = whiteouts_first ? things : whiteouts;
        entries.insert(entries.end(), rest.begin(), rest.end());
        const Unpacking u(make_tar(entries));
        ASSERT_TRUE(u.result().ok()) << u.error();
        EXPECT_EQ(u.content("d/x"), "x");
        EXPECT_EQ(u.content("f"), "f");
        EXPECT_EQ(u.xattr("d", "trusted.overlay.opaque"), "y") << whiteouts_first;
    }
}

TEST(Unpack, LaterEntriesReplaceEarlierOnes) {
    const Unpacking u(make_tar({directory("d"),
                                {.path = "d/old", .data = "1"},
                                {.path = "d", .data = "now a file"},
                                {.path = "f", .data = "1"},
                                directory("f"),
                                {.path = "f/in", .data = "2"},
                                symlink("l", "/etc/passwd"),
                                {.path = "l", .data = "not a link"},
                                directory("kept", 0700),
                                {.path = "kept/a"},
                                directory("kept", 0711),
                                {.path = "h1", .data = "one"},
                                hard_link("h2", "h1"),
                                {.path = "h2", .data = "two"}}));
    ASSERT_TRUE(u.result().ok()) << u.error();
    EXPECT_EQ(u.content("d"), "now a file");
    EXPECT_EQ(u.content("f/in"), "2");
    EXPECT_EQ(u.content("l"), "not a link");
    EXPECT_TRUE(S_ISREG(u.at("l").st_mode));
    EXPECT_EQ(u.at("kept").st_mode & 07777, 0711u);
    EXPECT_EQ(u.content("kept/a"), "");
    EXPECT_EQ(u.content("h1"), "one");
}

TEST(Unpack, DirectoriesTheTarLacksTakeTheirAttributesFromTheLayerBelow) {
    const Unpacking below(make_tar({directory("tmp", 01777), {.path = "etc", .data = "a file"}}));
    ASSERT_TRUE(below.result().ok());
    UnpackOptions options;
    options.lowers = {below.dir().path()};
    const Unpacking u(make_tar({{.path = "tmp/x"}, {.path = "etc/x"}, {.path = "new/x"}}), options);
    ASSERT_TRUE(u.result().ok()) << u.error();
    EXPECT_EQ(u.at("tmp").st_mode & 07777, 01777u);
    EXPECT_EQ(u.at("tmp").st_mtim.tv_sec, 1'600'000'000);
    EXPECT_EQ(u.at("etc").st_mode & 07777, 0755u);
    EXPECT_EQ(u.at("new").st_mtim.tv_sec, 0);
    EXPECT_TRUE(u.result()->implied_parents);
}

TEST(Unpack, ZerosBecomeHoles) {
    const std::string data = "begin" + std::string(8u << 20, '\0') + "end";
    const Unpacking u(make_tar({{.path = "sparse", .data = data}}));
    ASSERT_TRUE(u.result().ok()) << u.error();
    EXPECT_EQ(u.content("sparse"), data);
    EXPECT_LT(u.at("sparse").st_blocks * 512, 1 << 20);
}

struct Hostile {
    std::string name, error;
    std::vector<TarEntry> entries;
};

class HostileTar : public testing::TestWithParam<Hostile> {};

TEST_P(HostileTar, IsRefusedAndWritesNothingOutside) {
    const Unpacking u(make_tar(GetParam().entries));
    EXPECT_FALSE(u.result().ok());
    EXPECT_NE(u.error().find(GetParam().error), std::string::npos) << u.error();
    EXPECT_EQ(names_in(u.scratch().path()), std::vector<std::string>{"layer"});
}

INSTANTIATE_TEST_SUITE_P(
    Table, HostileTar,
    testing::Values(
        Hostile{"DotDot", "leads out", {{.path = "../escaped"}}},
        Hostile{"DotDotInside", "leads out", {directory("a"), {.path = "a/../../escaped"}}},
        Hostile{
            "ThroughAbsoluteSymlink", "is a symbolic link", {symlink("l", "/tmp"), {.path = "l/escaped"}}},
        Hostile{"ThroughRelativeSymlink", "is a symbolic link", {symlink("l", ".."), {.path = "l/escaped"}}},
        Hostile{"ThroughInnerSymlink",
                "is a symbolic link",
                {directory("d"), symlink("l", "d"), {.path = "l/x"}}},
        Hostile{
            "DirectoryThroughSymlink", "is a symbolic link", {symlink("l", ".."), directory("l/escaped")}},
        Hostile{
            "WhiteoutThroughSymlink", "is a symbolic link", {symlink("l", ".."), {.path = "l/.wh.layer"}}},
        Hostile{
            "OpaqueThroughSymlink", "is a symbolic link", {symlink("l", ".."), {.path = "l/.wh..wh..opq"}}},
        Hostile{"LinkThroughSymlink",
                "is a symbolic link",
                {{.path = "a"}, symlink("l", ".."), hard_link("l/escaped", "a")}},
        Hostile{"HardLinkOutside", "leads out", {hard_link("h", "../../etc/passwd")}},
        Hostile{"HardLinkAbsolute", "not in this layer", {hard_link("h", "/etc/hostname")}},
        Hostile{"HardLinkThroughSymlink",
                "not in this layer",
                {symlink("l", "/etc"), hard_link("h", "l/hostname")}},
        Hostile{"HardLinkToDirectory", "not a file in this layer", {directory("d"), hard_link("h", "d")}},
        Hostile{"HardLinkToItself", "to itself", {{.path = "a"}, hard_link("a", "a")}},
        Hostile{"BelowAFile", "is not a directory", {{.path = "a"}, {.path = "a/b"}}},
        Hostile{"RootIsAFile", "must be a directory", {{.path = "./"}, {.path = "."}}},
        Hostile{"RootIsALink", "must be a directory", {symlink(".", "/etc")}},
        Hostile{"LongComponent", "255 bytes", {{.path = std::string(300, 'n')}}},
        Hostile{"HugePath", "path of", {{.path = std::string(50'000, 'n')}}},
        Hostile{"WhiteoutOfDotDot", "whiteout of nothing", {{.path = ".wh..."}}},
        Hostile{"EmptyWhiteout", "whiteout of nothing", {{.path = "a/.wh."}}},
        Hostile{"BelowAWhiteout", "below a whiteout", {{.path = ".wh.a/b"}}},
        Hostile{"OwnerMinusOne", "out of range", {{.path = "a", .uid = 4294967295}}},
        Hostile{"OwnerOverflow", "out of range", {{.path = "a", .uid = 4294967296}}}),
    [](const auto& row) { return row.param.name; });

TEST(HostileTar, AbsoluteNamesLandInTheLayer) {
    const Unpacking u(make_tar({{.path = "/orlop-absolute/x", .data = "inside"}}));
    ASSERT_TRUE(u.result().ok()) << u.error();
    EXPECT_EQ(u.content("orlop-absolute/x"), "inside");
    EXPECT_NE(access("/orlop-absolute", F_OK), 0);
}

TEST(HostileTar, ASymlinkIsNotFollowedByTheFileThatReplacesIt) {
    const Scratch victim;
    const std::string target = victim.file("victim", "untouched");
    const Unpacking u(make_tar({symlink("l", target), {.path = "l", .data = "attack", .mode = 04777}}));
    ASSERT_TRUE(u.result().ok()) << u.error();
    EXPECT_EQ(read_file(target).value(), "untouched");
    struct stat st {};
    ASSERT_EQ(stat(target.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 0644u);
}

TEST(HostileTar, ChmodThroughAHardLinkToASymlinkChangesNothingOutside) {
    const Scratch victim;
    const std::string target = victim.file("victim", "untouched");
    TarEntry link = hard_link("h", "l");
    link.mode = 04777;
    link.uid = 1234;
    const Unpacking u(make_tar({symlink("l", target), link}));
    ASSERT_TRUE(u.result().ok()) << u.error();
    struct stat st {};
    ASSERT_EQ(stat(target.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 0644u);
    EXPECT_EQ(st.st_uid, 0u);
}

TEST(UnpackLimits, EntriesBytesAndFileSizesAreBounded) {
    UnpackOptions few;
    few.limits.entries = 2;
    EXPECT_EQ(Unpacking(make_tar({{.path = "a"}, {.path = "b"}, {.path = "c"}}), few).result().error().kind(),
              Kind::Exhausted);
    EXPECT_TRUE(Unpacking(make_tar({{.path = "a"}, {.path = "b"}}), few).result().ok());
    UnpackOptions small;
    small.limits.bytes = 100'000;
    EXPECT_EQ(Unpacking(make_tar({{.path = "a", .data = std::string(200'000, 'x')}}), small)
                  .result()
                  .error()
                  .kind(),
              Kind::Exhausted);
    EXPECT_EQ(Unpacking(make_tar({{.path = "a", .data = std::string(60'000, 'x')},
                                  {.path = "b", .data = std::string(60'000, 'x')}}),
                        small)
                  .result()
                  .error()
                  .kind(),
              Kind::Exhausted);
}

TEST(UnpackLimits, ASparseMapThatFillsMemoryIsRefused) {
    // GNU sparse 1.0 keeps its map in the entry's data: here 20 million segments of nothing.
    std::string map = "20000000\n";
    for (int i = 0; i < 5'000'000; ++i) map += "0\n0\n";
    const std::string tar = without_pax_header(make_tar({{.path = "bomb", .data = map}}));
    // The PAX header that makes it sparse, as tar --sparse-version=1.0 writes it.
    const std::string records =
        "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n24 GNU.sparse.name=bomb\n"
        "26 GNU.sparse.realsize=10\n";
    std::string header = without_pax_header(make_tar({{.path = "pax", .data = records}})).substr(0, 1024);
    header[156] = 'x';
    header.replace(148, 8, 8, ' ');
    unsigned sum = 0;
    for (size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(header[i]);
    char text[8];
    snprintf(text, sizeof text, "%06o", sum);
    header.replace(148, 7, std::string(text, 7));
    const Unpacking u(header + tar);
    ASSERT_FALSE(u.result().ok());
    EXPECT_EQ(u.result().error().kind(), Kind::Exhausted) << u.error();
}

TEST(Unpack, ALayerMayLackThePaddingOfItsLastBlock) {
    const std::string tar = without_pax_header(make_tar({{.path = "a", .data = "short"}})).substr(0, 512 + 5);
    const Unpacking u(tar);
    ASSERT_TRUE(u.result().ok()) << u.error();
    EXPECT_EQ(u.content("a"), "short");
    EXPECT_EQ(u.result()->diff_id, sha256_of(tar));
    UnpackOptions whole;
    whole.layer = false;
    EXPECT_FALSE(Unpacking(tar, whole).result().ok());
}

TEST(UnpackLimits, TruncationAndGarbageAreErrors) {
    const std::string tar = make_tar({{.path = "a", .data = std::string(100'000, 'x')}});
    EXPECT_FALSE(Unpacking(tar.substr(0, 50'000)).result().ok());
    EXPECT_FALSE(Unpacking(std::string(10'000, 'q')).result().ok());
    EXPECT_TRUE(Unpacking(std::string(1024, '\0')).result().ok());
}

TEST(Unpack, AWholeRootFilesystemHasNoWhiteouts) {
    UnpackOptions options;
    options.layer = false;
    EXPECT_FALSE(Unpacking(make_tar({{.path = ".wh.a"}}), options).result().ok());
}

}  // namespace
}  // namespace orlop::images
