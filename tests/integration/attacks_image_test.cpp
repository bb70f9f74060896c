// Attacks by images: archives that lie, and files in them where the runtime looks or writes.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/dir.h"
#include "harness/attack_test.h"

namespace orlop::it {
namespace {

namespace fs = std::filesystem;

class AttacksByImages : public AttackTest {
  protected:
    void SetUp() override {
        AttackTest::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        victim_ = victim_directory();
    }
    void TearDown() override {
        if (!victim_.empty()) fs::remove_all(victim_);
        AttackTest::TearDown();
    }
    // From any directory below the node's, or below the root of a container, up to the victim.
    std::string way_up() const {
        std::string way;
        for (int i = 0; i < 40; ++i) way += "../";
        return way + victim_.substr(1);
    }
    // Imports, and removes the image if that was possible.
    bool imports(const Layer& layer) {
        const ImageSpec image{.name = "docker.io/library/it-escape:1", .layers = {layer}, .config = {}};
        const bool imported = node().import(image).ok();
        if (imported) crictl().must({"rmi", image.name});
        return imported;
    }
    bool written(const std::string& name) {
        const bool there = fs::exists(fs::symlink_status(victim_ + "/" + name));
        fs::remove_all(victim_ + "/" + name);
        return there;
    }

    std::string victim_;
};

TEST_F(AttacksByImages, ALayerWithAnEntryOutside) {
    expect_defended("unpack-in-root", [&] {
        (void)imports({{.path = way_up() + "/made", .content = "by the image"}});
        return written("made");
    });
}

// CVE-2025-47290: what is a directory when it is looked at is a link when it is written through.
TEST_F(AttacksByImages, ALayerThatWritesThroughItsOwnLink) {
    expect_defended("unpack-in-root", [&] {
        (void)imports({{.path = "way", .link = victim_}, {.path = "way/made", .content = "by the image"}});
        return written("made");
    });
}

TEST_F(AttacksByImages, ALayerThatReplacesItsDirectoryByALink) {
    expect_defended("unpack-in-root", [&] {
        (void)imports({{.path = "way", .mode = 0755, .directory = true},
                       {.path = "way/first", .content = "inside"},
                       {.path = "way", .link = victim_},
                       {.path = "way/made", .content = "by the image"}});
        return written("made");
    });
}

// CVE-2021-32760: a hard link takes a mode along, and a file of the host gets it.
TEST_F(AttacksByImages, ALayerThatChangesTheModeOfAHostsFile) {
    expect_defended("unpack-in-root,link-mode", [&] {
        EXPECT_EQ(chmod((victim_ + "/secret").c_str(), 0600), 0);
        (void)imports({{.path = "link", .link = victim_ + "/secret"},
                       {.path = "again", .mode = 04777, .hard_link = "link"}});
        struct stat st {};
        EXPECT_EQ(stat((victim_ + "/secret").c_str(), &st), 0);
        return (st.st_mode & 07777) != 0600;
    });
}

TEST_F(AttacksByImages, ALayerWithAHardLinkToAHostsFile) {
    expect_defended("unpack-in-root", [&] {
        Json container = shell_config("hard", "cat /taken");
        ImageSpec image = hostile_image("it-hard", {{.path = "taken", .hard_link = way_up() + "/secret"}});
        if (!node().import(image)) return false;
        const bool taken = run_to_end(new_pod("hard"), in_image(container, image)).out == "of the host";
        crictl().must({"rmi", image.name});
        return taken;
    });
}

// CVE-2024-5154: the runtime puts files into /etc; where that leads is the image's to say.
TEST_F(AttacksByImages, AnEtcThatLeadsToTheHost) {
    Layer layer;
    ImageSpec image = hostile_image("it-etc", {});
    for (ImageFile file : image.layers[0]) {
        if (file.path == "etc") file = {.path = "etc", .link = way_up()};
        if (!file.path.starts_with("etc/")) layer.push_back(file);
    }
    image.layers = {layer};
    import(image);
    expect_defended("in-root", [&] {
        (void)run_to_end(new_pod("etc"), in_image(shell_config("etc", "exit 0"), image));
        bool any = false;
        for (const char* name : {"hosts", "hostname", "resolv.conf", "mtab"}) any = written(name) || any;
        return any;
    });
}

// CVE-2022-23648: a declared volume whose path leads out, so that the host's files are copied in.
TEST_F(AttacksByImages, AVolumeOfTheImageThatLeadsToTheHost) {
    ImageSpec image = hostile_image("it-volume", {{.path = "way", .link = way_up()}});
    image.config["Volumes"] = {{"/" + way_up(), Json::object()}, {"/way", Json::object()}};
    import(image);
    // Nothing here fills declared volumes, so that there is no defence to leave out: a bind mount shows that
    // the container would see what a copy brought in.
    const std::string look = "cat /" + way_up() + "/secret /way/secret /bound/secret";
    Json container = in_image(shell_config("volume", look), image);
    EXPECT_EQ(run_to_end(new_pod("volume"), container).out.find("of the host"), std::string::npos);
    container["mounts"] = {{{"host_path", victim_}, {"container_path", "/bound"}}};
    EXPECT_NE(run_to_end(new_pod("volume"), container).out.find("of the host"), std::string::npos);
}

// The same with a volume that is an image: the part of it that is mounted is a link.
TEST_F(AttacksByImages, APartOfAnImageVolumeThatLeadsToTheHost) {
    const ImageSpec volume = hostile_image("it-part", {{.path = "way", .link = way_up()}});
    import(volume);
    expect_defended("image-part", [&] {
        Json container = shell_config("part", "cat /volume/secret");
        container["mounts"] = {{{"container_path", "/volume"},
                                {"readonly", true},
                                {"image", {{"image", volume.name}}},
                                {"image_sub_path", "way"}}};
        return run_to_end(new_pod("part"), container).out == "of the host";
    });
}

}  // namespace
}  // namespace orlop::it
