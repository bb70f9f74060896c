#include "images/manifest.h"

#include <gtest/gtest.h>

#include "images/config.h"
#include "images/json_fields.h"

namespace orlop::images {
namespace {

const std::string kManifestType = "application/vnd.oci.image.manifest.v1+json";
const std::string kIndexType = "application/vnd.oci.image.index.v1+json";
const std::string kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

std::string descriptor(const std::string& type, const std::string& more = "") {
    return R"({"mediaType":")" + type + R"(","digest":"sha256:)" + std::string(64, '1') + R"(","size":7)" +
           more + "}";
}

std::string manifest(const std::string& more = "",
                     const std::string& layer_type = "application/vnd.oci.image.layer.v1.tar+gzip") {
    return R"({"schemaVersion":2,"config":)" + descriptor("application/vnd.oci.image.config.v1+json") +
           R"(,"layers":[)" + descriptor(layer_type) + "]" + more + "}";
}

TEST(Manifest, OfBothFamiliesIsRead) {
    const auto oci = parse_document(manifest(R"(,"mediaType":")" + kManifestType + "\""), kManifestType);
    ASSERT_TRUE(oci.ok()) << oci.error().what();
    ASSERT_TRUE(std::holds_alternative<Manifest>(*oci));
    EXPECT_EQ(std::get<Manifest>(*oci).layers.size(), 1u);
    EXPECT_EQ(std::get<Manifest>(*oci).config.size, 7u);
    EXPECT_TRUE(
        parse_document(manifest("", "application/vnd.docker.image.rootfs.diff.tar.gzip"), kDockerManifest)
            .ok());
}

TEST(Index, IsReadWithItsPlatforms) {
    const auto r = parse_document(
        R"({"schemaVersion":2,"manifests":[)" +
            descriptor(kManifestType, R"(,"platform":{"os":"linux","architecture":"arm64","variant":"v8"})") +
            "]}",
        kIndexType);
    ASSERT_TRUE(r.ok()) << r.error().what();
    EXPECT_EQ(std::get<Index>(*r).manifests.at(0).platform->str(), "linux/arm64/v8");
}

struct Row {
    std::string name, text, expected_type, error;
};

class BadDocument : public testing::TestWithParam<Row> {};

TEST_P(BadDocument, IsRefusedAndTheReasonNamed) {
    const auto r = parse_document(GetParam().text, GetParam().expected_type);
    ASSERT_FALSE(r.ok());
    EXPECT_NE(r.error().what().find(GetParam().error), std::string::npos) << r.error().what();
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadDocument,
    testing::Values(
        Row{"NotJson", "{", "", "not valid JSON"}, Row{"NotAnObject", "[]", "", "not a JSON object"},
        Row{"Both", manifest(R"(,"manifests":[])"), "", "both an index and a manifest"},
        Row{"IndexWithConfig", R"({"schemaVersion":2,"manifests":[],"config":{}})", "", "both an index"},
        Row{"Neither", R"({"schemaVersion":2})", "", "neither"},
        Row{"Schema1", R"({"schemaVersion":1,"fsLayers":[]})", "", "schema 1"},
        Row{"NoVersion", R"({"layers":[]})", "", "schemaVersion"},
        Row{"AnnouncedOther", manifest(), kIndexType, "does not agree with the content"},
        Row{"SaysIndex", manifest(R"(,"mediaType":")" + kIndexType + "\""), "", "does not agree"},
        Row{"SaysOther", manifest(R"(,"mediaType":")" + kManifestType + "\""), kDockerManifest,
            "was announced"},
        Row{"UnknownLayer", manifest("", "application/vnd.oci.image.layer.v1.tar+encrypted"), "",
            "is not supported"},
        Row{"Artifact", manifest(R"(,"artifactType":"application/vnd.example")"), "", "an artifact"},
        Row{"TypeOfSize",
            R"({"schemaVersion":2,"layers":[],"config":{"mediaType":"a","digest":"sha256:)" +
                std::string(64, '1') + R"(","size":-1}})",
            "", "no valid \"size\""},
        Row{"BadDigest", R"({"schemaVersion":2,"layers":[],"config":{"digest":"md5:1","size":1}})", "",
            "not a sha256 digest"},
        Row{"Huge", "{\"a\":\"" + std::string(kMaxDocument, 'a') + "\"}", "", "more than 4 MiB"}),
    [](const auto& row) { return row.param.name; });

TEST(Manifest, WithMoreLayersThanOverlayfsTakesIsRefused) {
    std::string layers;
    for (size_t i = 0; i <= kMaxLayers; ++i)
        layers += (i == 0 ? "" : ",") + descriptor("application/vnd.oci.image.layer.v1.tar");
    const auto r = parse_document(R"({"schemaVersion":2,"config":)" +
                                      descriptor("application/vnd.oci.image.config.v1+json") +
                                      R"(,"layers":[)" + layers + "]}",
                                  "");
    ASSERT_FALSE(r.ok());
    EXPECT_EQ(r.error().kind(), Kind::Exhausted);
}

Descriptor offer(const std::string& os, const std::string& architecture, const std::string& variant,
                 char id) {
    return {kManifestType,
            Digest::parse("sha256:" + std::string(64, id)).value(),
            1,
            Platform{os, architecture, variant},
            {}};
}

TEST(Platform, TheHighestVariantThatRunsIsChosen) {
    const Platform host{"linux", "amd64", "v3"};
    const auto chosen =
        choose_platform({offer("unknown", "unknown", "", '0'), offer("linux", "arm64", "v8", '1'),
                         offer("linux", "amd64", "", '2'), offer("linux", "amd64", "v3", '3'),
                         offer("linux", "amd64", "v4", '4')},
                        host);
    ASSERT_TRUE(chosen.ok());
    EXPECT_EQ(chosen->platform->variant, "v3");
}

TEST(Platform, ArmTakesOlderVariantsAndArm64NeedsNone) {
    EXPECT_GT(platform_rank({"linux", "arm", "v6"}, {"linux", "arm", "v7"}), 0);
    EXPECT_EQ(platform_rank({"linux", "arm", "v7"}, {"linux", "arm", "v6"}), 0);
    EXPECT_GT(platform_rank({"linux", "arm64", ""}, {"linux", "arm64", "v8"}), 0);
    EXPECT_EQ(platform_rank({"windows", "amd64", ""}, {"linux", "amd64", "v1"}), 0);
}

TEST(Platform, WithoutAMatchTheErrorListsWhatThereIs) {
    const auto r = choose_platform({offer("linux", "s390x", "", '1')}, {"linux", "amd64", "v1"});
    ASSERT_FALSE(r.ok());
    EXPECT_NE(r.error().what().find("linux/s390x"), std::string::npos);
}

TEST(DockerManifest, IsRead) {
    const auto r = parse_docker_manifest(
        R"([{"Config":"c.json","RepoTags":null,"Layers":["a/layer.tar","b/layer.tar"]}])");
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r->at(0).layers.size(), 2u);
    EXPECT_TRUE(r->at(0).repo_tags.empty());
    EXPECT_FALSE(parse_docker_manifest("{}").ok());
    EXPECT_FALSE(parse_docker_manifest(R"([{"Layers":[]}])").ok());
    EXPECT_FALSE(parse_docker_manifest(R"([{"Config":"c","Layers":[1]}])").ok());
}

TEST(Config, EveryFieldThatContainersNeedIsRead) {
    const auto r = parse_config(R"({"os":"linux","architecture":"arm64","config":{
      "Entrypoint":["/e"],"Cmd":["c","d"],"Env":["A=b"],"WorkingDir":"/w","User":"1:2","StopSignal":"SIGINT",
      "Volumes":{"/v":{}},"Labels":{"k":"v"},"ExposedPorts":{"80/tcp":{}}},
      "rootfs":{"type":"layers","diff_ids":["sha256:)" +
                                std::string(64, '5') + "\"]}}");
    ASSERT_TRUE(r.ok()) << r.error().what();
    EXPECT_EQ(r->config.entrypoint, std::vector<std::string>{"/e"});
    EXPECT_EQ(r->config.cmd, (std::vector<std::string>{"c", "d"}));
    EXPECT_EQ(r->config.env, std::vector<std::string>{"A=b"});
    EXPECT_EQ(r->config.working_dir, "/w");
    EXPECT_EQ(r->config.user, "1:2");
    EXPECT_EQ(r->config.stop_signal, "SIGINT");
    EXPECT_EQ(r->config.volumes, std::vector<std::string>{"/v"});
    EXPECT_EQ(r->config.labels.at("k"), "v");
    EXPECT_EQ(r->config.architecture, "arm64");
    EXPECT_EQ(r->diff_ids.size(), 1u);
}

TEST(Config, WrongTypesNulBytesAndOtherSystemsAreRefused) {
    const auto config = [](const std::string& process, const std::string& os = "linux") {
        return parse_config(R"({"os":")" + os + R"(","config":)" + process +
                            R"(,"rootfs":{"type":"layers","diff_ids":[]}})");
    };
    EXPECT_TRUE(config(R"({"Cmd":null,"Volumes":null})").ok());
    EXPECT_FALSE(config(R"({"Cmd":"sh"})").ok());
    EXPECT_FALSE(config(R"({"Env":[1]})").ok());
    EXPECT_FALSE(config(R"({"Env":["A=\u0000b"]})").ok());
    EXPECT_FALSE(config(R"({"Volumes":["/v"]})").ok());
    EXPECT_FALSE(config("[]").ok());
    EXPECT_EQ(config("{}", "windows").error().kind(), Kind::Unimplemented);
    EXPECT_FALSE(parse_config(R"({"os":"linux"})").ok());
}

TEST(Config, MadeForARootfsIsReadBackTheSame) {
    const Digest diff_id = sha256_of("x");
    const RootfsImport request{"/p", "r", {"/bin/sh"}, {"-c", "true"}, {"A=b"}, "/w", "1"};
    const std::string text = make_config(request, diff_id, {"linux", "amd64", ""});
    EXPECT_EQ(text, make_config(request, diff_id, {"linux", "amd64", ""}));
    const auto r = parse_config(text);
    ASSERT_TRUE(r.ok()) << r.error().what();
    EXPECT_EQ(r->config.entrypoint, request.entrypoint);
    EXPECT_EQ(r->config.cmd, request.cmd);
    EXPECT_EQ(r->config.env, request.env);
    EXPECT_EQ(r->config.user, "1");
    EXPECT_EQ(r->diff_ids, std::vector<Digest>{diff_id});
}

}  // namespace
}  // namespace orlop::images
