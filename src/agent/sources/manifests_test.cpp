#include "agent/sources/manifests.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/sources/folder_watch.h"
#include "base/dir.h"

namespace orlop::agent {
namespace {

using namespace std::chrono_literals;

class ManifestsTest : public testing::Test {
  protected:
    ManifestsTest() {
        char name[] = "/tmp/orlop-manifests-XXXXXX";
        root = mkdtemp(name);
        folder = root + "/manifests";
        EXPECT_TRUE(make_dirs(folder));
    }
    ~ManifestsTest() override {
        if (const auto tmp = Dir::open("/tmp"); tmp) (void)tmp->remove_tree(root.substr(5));
    }
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "NEEDS ROOT: manifests must belong to root";
    }
    static std::string text(const std::string& name, const std::string& image = "i:1") {
        return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
               "}\nspec: {containers: [{name: c, image: \"" + image + "\"}]}\n";
    }
    void write(const std::string& name, const std::string& content) {
        const auto dir = Dir::open(folder);
        ASSERT_TRUE(dir);
        ASSERT_TRUE(dir->write_atomic(name, content, 0600));
    }
    bool scan(ManifestStore& store) {
        return store.take(scan_manifests(folder, store.known()), folder, 1700000000s);
    }
    static std::string names(const ManifestStore& store) {
        std::string out;
        for (const DesiredPod& pod : store.desired()) out += pod.pod->meta.name + " ";
        return out;
    }

    std::string root;
    std::string folder;
};

TEST_F(ManifestsTest, FilesBecomePodsOfThisNode) {
    write("a.yaml", text("a") + "---\n" + text("b"));
    write(
        "c.json",
        R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"c"},"spec":{"containers":[{"name":"c","image":"i"}]}})");
    write(".hidden.yaml", text("h"));
    ASSERT_TRUE(make_dirs(folder + "/sub"));
    ManifestStore store("Node1", "");
    EXPECT_TRUE(scan(store));
    EXPECT_EQ(names(store), "a-node1 b-node1 c-node1 ");
    const kube::Pod& pod = *store.desired()[0].pod;
    EXPECT_EQ(pod.meta.uid.size(), 32u);
    EXPECT_EQ(pod.meta.annotations.at("kubernetes.io/config.source"), "file");
    EXPECT_EQ(pod.meta.annotations.at("kubernetes.io/config.hash"), pod.meta.uid);
    EXPECT_EQ(pod.spec.node_name, "Node1");
    EXPECT_FALSE(scan(store)) << "nothing changed";
}

TEST_F(ManifestsTest, TheUidFollowsContentNodeAndFile) {
    write("a.yaml", text("a"));
    const auto uid = [&](const std::string& node_name) {
        ManifestStore store(node_name, "");
        scan(store);
        return store.desired()[0].pod->meta.uid;
    };
    const std::string first = uid("n");
    EXPECT_EQ(uid("n"), first);
    EXPECT_NE(uid("m"), first);
    write("a.yaml", "# a comment changes nothing\n" + text("a"));
    EXPECT_EQ(uid("n"), first);
    write("a.yaml", text("a", "i:2"));
    EXPECT_NE(uid("n"), first);
}

TEST_F(ManifestsTest, ABrokenManifestKeepsTheLastGoodPod) {
    write("a.yaml", text("a"));
    ManifestStore store("n", "");
    scan(store);
    const auto before = store.desired()[0].pod;
    for (const char* broken : {"", "{", "kind: Pod\n", "apiVersion: v1\nkind: Job\n"}) {
        write("a.yaml", broken);
        EXPECT_FALSE(scan(store));
        ASSERT_EQ(store.errors().size(), 1u) << broken;
        EXPECT_EQ(store.errors()[0].file, "a.yaml");
        EXPECT_EQ(store.desired()[0].pod, before);
    }
    write("a.yaml", text("a"));
    EXPECT_FALSE(scan(store)) << "the same content again";
    EXPECT_TRUE(store.errors().empty());
    EXPECT_EQ(store.desired()[0].pod, before);
}

TEST_F(ManifestsTest, ARestartedAgentRemembersTheLastGoodPod) {
    write("a.yaml", text("a"));
    ManifestStore first("n", root + "/memory");
    scan(first);
    const std::string uid = first.desired()[0].pod->meta.uid;
    write("a.yaml", "broken: [");
    ManifestStore second("n", root + "/memory");
    EXPECT_TRUE(scan(second));
    ASSERT_EQ(second.desired().size(), 1u);
    EXPECT_EQ(second.desired()[0].pod->meta.uid, uid);
    EXPECT_EQ(second.errors().size(), 1u);
    ASSERT_EQ(unlink((folder + "/a.yaml").c_str()), 0);
    EXPECT_TRUE(scan(second));
    EXPECT_EQ(names(second), "");
    EXPECT_TRUE(Dir::open(root + "/memory")->list()->empty());
}

TEST_F(ManifestsTest, AnUnsupportedManifestDoesNotReplaceAGoodOne) {
    write("a.yaml", text("a"));
    ManifestStore store("n", "");
    scan(store);
    const auto before = store.desired()[0].pod;
    std::string with_probe = text("a");
    with_probe.replace(with_probe.find("\"}]"), 3, "\", livenessProbe: {tcpSocket: {port: 1}}}]");
    write("a.yaml", with_probe);
    EXPECT_FALSE(scan(store));
    EXPECT_EQ(store.desired()[0].pod, before);
    EXPECT_EQ(store.errors()[0].message, "spec.containers[0].livenessProbe: not supported yet");
    ManifestStore fresh("n", "");
    scan(fresh);
    EXPECT_EQ(fresh.desired()[0].refusals.size(), 1u);
}

TEST_F(ManifestsTest, OthersMayNotWriteManifests) {
    write("a.yaml", text("a"));
    write("b.yaml", text("b"));
    ASSERT_EQ(chmod((folder + "/a.yaml").c_str(), 0666), 0);
    ASSERT_EQ(chown((folder + "/b.yaml").c_str(), 1234, 0), 0);
    ManifestStore store("n", "");
    scan(store);
    EXPECT_EQ(names(store), "");
    ASSERT_EQ(store.errors().size(), 2u);
    EXPECT_NE(store.errors()[0].message.find("chmod go-w"), std::string::npos);
    EXPECT_NE(store.errors()[1].message.find("chown root"), std::string::npos);
    ASSERT_EQ(chmod((folder + "/a.yaml").c_str(), 0600), 0);
    EXPECT_TRUE(scan(store));
    EXPECT_EQ(names(store), "a-n ");
    ASSERT_EQ(chmod(folder.c_str(), 0777), 0);
    EXPECT_FALSE(scan(store)) << "an unsafe folder says nothing: what ran goes on";
    EXPECT_EQ(names(store), "a-n ");
    EXPECT_EQ(store.errors()[0].file, folder);
}

TEST_F(ManifestsTest, AMissingFolderIsEmptyAndTwoPodsOfOneNameAreReported) {
    write("a.yaml", text("a"));
    write("b.yaml", text("a", "i:2"));
    ManifestStore store("n", "");
    scan(store);
    EXPECT_EQ(store.desired().size(), 1u);
    ASSERT_EQ(store.errors().size(), 1u);
    EXPECT_EQ(store.errors()[0].message, "pod default/a-n is already defined in a.yaml");
    ASSERT_TRUE(Dir::open(root)->remove_tree("manifests"));
    EXPECT_TRUE(scan(store));
    EXPECT_TRUE(store.desired().empty());
    EXPECT_TRUE(store.ready());
}

TEST_F(ManifestsTest, AFifoInTheFolderIsNotRead) {
    ASSERT_EQ(mkfifo((folder + "/pipe").c_str(), 0600), 0);
    ManifestStore store("n", "");
    scan(store);
    EXPECT_TRUE(store.errors().empty());
}

TEST_F(ManifestsTest, TheWatchFollowsTheFolderThroughItsLife) {
    auto loop = EventLoop::make();
    ASSERT_TRUE(loop);
    int changes = 0;
    FolderWatch watch(**loop, folder, [&] { ++changes; });
    const auto changed = [&] {
        const int before = changes;
        for (int i = 0; i < 20 && changes == before; ++i) (void)(*loop)->run_once(100ms);
        return changes != before;
    };
    EXPECT_TRUE(watch.arm());
    write("a.yaml", text("a"));
    EXPECT_TRUE(changed());
    ASSERT_TRUE(Dir::open(root)->remove_tree("manifests"));
    EXPECT_TRUE(changed());
    EXPECT_FALSE(watch.arm());
    ASSERT_TRUE(make_dirs(folder));
    EXPECT_TRUE(changed());
    EXPECT_TRUE(watch.arm());
    write("b.yaml", text("b"));
    EXPECT_TRUE(changed());
}

}  // namespace
}  // namespace orlop::agent
