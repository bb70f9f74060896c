#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "images/registry/test_support.h"

namespace orlop::registry {
namespace {

using images::test::Scratch;
using images::test::small_layer;
using images::test::Squeeze;
using test::Call;
using test::FakeRegistry;
using test::Node;
using test::Reply;

test::TestImage two_layers() {
    auto base = images::test::base_layer();
    auto top = images::test::top_layer();
    base.squeeze = Squeeze::Gzip;
    top.squeeze = Squeeze::Zstd;
    return test::make_image({base, top});
}

bool is_blob(const Call& call) {
    return call.path().find("/blobs/") != std::string::npos;
}

TEST(Pull, BringsATagWithItsLayersAndNames) {
    const Scratch scratch;
    FakeRegistry registry;
    const auto image = two_layers();
    registry.push(image, "1");
    Node node(scratch);
    const auto pulled = node.pulled(registry.reference("team/app:1"));
    EXPECT_EQ(pulled.id, image.config_digest);
    EXPECT_EQ(pulled.repo_tags, std::vector<std::string>{registry.reference("team/app:1")});
    EXPECT_EQ(pulled.repo_digests,
              std::vector<std::string>{registry.reference("team/app@" + image.manifest_digest)});
    EXPECT_EQ(images::test::layer_names(scratch).size(), 2u);
    EXPECT_EQ(images::test::names_in(scratch / "store/ingest"), std::vector<std::string>());
}

TEST(Pull, AsksOnlyForTheDigestOfWhatIsThereAlready) {
    const Scratch scratch;
    FakeRegistry registry;
    registry.push(two_layers(), "1");
    Node node(scratch);
    node.pulled(registry.reference("app:1"));
    const size_t before = registry.server().calls().size();
    node.pulled(registry.reference("app:1"));
    EXPECT_EQ(registry.server().calls().size(), before + 1);
    EXPECT_EQ(registry.server().count("HEAD /v2/app/manifests/1"), 2u);
}

TEST(Pull, OfAnotherImageBringsOnlyTheLayersThatAreMissing) {
    const Scratch scratch;
    FakeRegistry registry;
    const auto one = test::make_image({images::test::base_layer(), small_layer("one")});
    const auto two = test::make_image({images::test::base_layer(), small_layer("two")});
    registry.push(one, "1");
    registry.push(two, "2");
    Node node(scratch);
    node.pulled(registry.reference("app:1"));
    node.pulled(registry.reference("app:2"));
    EXPECT_EQ(registry.server().count("GET /v2/app/blobs/" + one.layer_digests[0]), 1u);
    EXPECT_EQ(registry.server().count("GET /v2/app/blobs/" + two.layer_digests[1]), 1u);
}

TEST(Pull, GoesOnWhereAConnectionBroke) {
    const Scratch scratch;
    FakeRegistry registry;
    const auto image = two_layers();
    registry.push(image, "1");
    registry.set_fault([&](const Call& call) -> std::optional<Reply> {
        if (!is_blob(call) || !call.header("range").empty()) return std::nullopt;
        Reply reply = registry.honest(call);
        reply.cut = reply.body.size() / 2;
        return reply;
    });
    Node node(scratch);
    node.pulled(registry.reference("app:1"));
    for (const auto& [digest, content] : image.blobs)
        EXPECT_EQ(registry.server().count("GET /v2/app/blobs/" + digest), 2u);
}

TEST(Pull, ByDigestGivesNoTagAndATagBesideADigestIsDecoration) {
    const Scratch scratch;
    FakeRegistry registry;
    const auto image = two_layers();
    registry.push(image, "1");
    Node node(scratch);
    const std::string digest = registry.reference("app@" + image.manifest_digest);
    const auto pulled = node.pulled(registry.reference("app:nonsense@" + image.manifest_digest));
    EXPECT_TRUE(pulled.repo_tags.empty());
    EXPECT_EQ(pulled.repo_digests, std::vector<std::string>{digest});
    const size_t before = registry.server().calls().size();
    node.pulled(digest);
    EXPECT_EQ(registry.server().calls().size(), before) << "a digest that is there needs no registry";
}

TEST(Pull, ChoosesThisMachineFromAnIndex) {
    const Scratch scratch;
    FakeRegistry registry;
    const auto mine = test::make_image({small_layer("mine")});
    const auto other = test::make_image({small_layer("other")});
    registry.push(mine, "mine");
    registry.push(other, "other");
    const auto host = images::Platform::host();
    const auto entry = [](const test::TestImage& image, const std::string& architecture) {
        return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
               image.manifest_digest + R"(","size":)" + std::to_string(image.manifest.size()) +
               R"(,"platform":{"os":"linux","architecture":")" + architecture + R"("}})";
    };
    const std::string index = R"({"schemaVersion":2,"manifests":[)" + entry(other, "pdp11") + "," +
                              entry(mine, host.architecture) + "]}";
    registry.push_index(index, "1");
    Node node(scratch);
    const auto pulled = node.pulled(registry.reference("app:1"));
    EXPECT_EQ(pulled.id, mine.config_digest);
    EXPECT_EQ(pulled.repo_digests,
              std::vector<std::string>{registry.reference("app@" + test::digest_text(index))});
    registry.push_index(R"({"schemaVersion":2,"manifests":[)" + entry(other, "pdp11") + "]}", "none");
    EXPECT_EQ(node.refused(registry.reference("app:none")).kind(), Kind::NotFound);
}

TEST(Pull, MovesATagThatMeansAnotherImageNow) {
    const Scratch scratch;
    FakeRegistry registry;
    const auto old = test::make_image({small_layer("old")});
    const auto now = test::make_image({small_layer("new")});
    registry.push(old, "1");
    Node node(scratch);
    node.pulled(registry.reference("app:1"));
    registry.push(now, "1");
    node.pulled(registry.reference("app:1"));
    EXPECT_EQ((*node.store->find(registry.reference("app:1")))->id, now.config_digest);
    EXPECT_TRUE((*node.store->find(old.config_digest))->repo_tags.empty());
}

TEST(Pull, OfManyAtOnceBringsEachLayerOnce) {
    const Scratch scratch;
    FakeRegistry registry;
    std::vector<test::TestImage> all;
    for (int i = 0; i < 4; ++i) {
        all.push_back(test::make_image(
            {images::test::base_layer(), small_layer("shared"), small_layer("own" + std::to_string(i))}));
        registry.push(all.back(), std::to_string(i));
    }
    Node node(scratch);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&, i] { node.pulled(registry.reference("app:" + std::to_string(i % 4))); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(node.store->list()->size(), 4u);
    for (const auto& image : all)
        for (const std::string& digest : image.layer_digests)
            EXPECT_EQ(registry.server().count("GET /v2/app/blobs/" + digest), 1u);
    EXPECT_EQ(images::test::names_in(scratch / "store/ingest"), std::vector<std::string>());
    EXPECT_TRUE(node.store->verify()->problems.empty());
}

TEST(Pull, ThatIsCancelledEndsAtOnceAndLeavesNothing) {
    const Scratch scratch;
    FakeRegistry registry;
    const auto image = two_layers();
    registry.push(image, "1");
    std::stop_source stop;
    registry.set_fault([&](const Call& call) -> std::optional<Reply> {
        if (!call.path().ends_with(image.layer_digests[0])) return std::nullopt;
        stop.request_stop();
        Reply reply = registry.honest(call);
        reply.cut = 10;
        reply.stall = true;
        return reply;
    });
    Node node(scratch, {.patience = {.stall = std::chrono::hours(1)}});
    const auto pulled = node.puller->pull({registry.reference("app:1"), {}, ""}, {}, stop.get_token());
    ASSERT_FALSE(pulled);
    EXPECT_NE(pulled.error().what().find("cancelled"), std::string::npos);
    EXPECT_TRUE(images::test::layer_names(scratch).empty());
    EXPECT_TRUE(images::test::names_in(scratch / "store/ingest").empty());
    // Who waited for its layers brings them itself.
    registry.set_fault(nullptr);
    node.pulled(registry.reference("app:1"));
}

TEST(Pull, TakesDirectoriesThatALayerDoesNotNameFromTheLayersBelow) {
    const Scratch scratch;
    FakeRegistry registry;
    using images::test::make_tar;
    const test::TestImage image = test::make_image(
        {{make_tar({images::test::directory("var", 0711), images::test::directory("var/lib", 01777)}), {}},
         {make_tar({{.path = "var/lib/file", .data = "x"}}), {}}});
    registry.push(image, "1");
    Node node(scratch);
    const auto pulled = node.pulled(registry.reference("app:1"));
    const auto layers = node.store->pin_layers(pulled.id, "test");
    ASSERT_TRUE(layers);
    struct stat st {};
    ASSERT_EQ(stat((layers->front() + "/var/lib").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 01777u);
    EXPECT_EQ(st.st_mtime, 1'600'000'000);
    ASSERT_EQ(stat((layers->front() + "/var").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 0711u);
}

TEST(Pull, TellsOfEachLayerAsItComes) {
    const Scratch scratch;
    FakeRegistry registry;
    const auto image = two_layers();
    registry.push(image, "1");
    Node node(scratch);
    std::map<std::string, images::Progress> last;
    std::vector<std::string> stages;
    const auto pulled = node.puller->pull({registry.reference("app:1"), {}, ""},
                                          [&](const images::Progress& progress) {
                                              if (stages.empty() || stages.back() != progress.stage)
                                                  stages.push_back(progress.stage);
                                              last[progress.layer] = progress;
                                          },
                                          {});
    ASSERT_TRUE(pulled) << pulled.error().what();
    EXPECT_EQ(stages, (std::vector<std::string>{"resolve", "download", "done"}));
    for (const std::string& digest : image.layer_digests) {
        EXPECT_EQ(last[digest].done, image.blobs.at(digest).size());
        EXPECT_EQ(last[digest].total, image.blobs.at(digest).size());
    }
}

}  // namespace
}  // namespace orlop::registry
