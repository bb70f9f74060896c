#include <gtest/gtest.h>

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

}  // namespace
}  // namespace orlop::registry
