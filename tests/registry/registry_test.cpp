#include "registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "sender.h"

namespace orlop::test_registry {
namespace {

using Json = nlohmann::json;

const std::string kBlob(64, 'a');
const std::string kManifest(64, 'b');

// The names of blobs are not checked against their content: a registry may lie.
class TestRegistry : public ::testing::Test {
  protected:
    TestRegistry() {
        char form[] = "/tmp/orlop-test-registry.XXXXXX";
        directory_ = mkdtemp(form);
        std::filesystem::create_directories(directory_ + "/blobs/sha256");
        write("blobs/sha256/" + kBlob, "0123456789");
        write("blobs/sha256/" + kManifest, R"({"mediaType":"application/x.manifest"})");
        const Json entry = {{"digest", "sha256:" + kManifest},
                            {"annotations", {{"org.opencontainers.image.ref.name", "some/app:v1"}}}};
        write("index.json", Json{{"manifests", {entry}}}.dump());
    }
    ~TestRegistry() override { std::filesystem::remove_all(directory_); }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(directory_ + "/" + name) << text;
    }
    static Request get(const std::string& target, std::map<std::string, std::string> headers = {}) {
        Request request;
        request.method = "GET";
        request.headers = std::move(headers);
        request.headers["host"] = "here:5000";
        split_target(target, request);
        return request;
    }
    static std::string header(const Reply& reply, const std::string& name) {
        for (const auto& [key, value] : reply.headers)
            if (key == name) return value;
        return "";
    }

    std::string directory_;
};

TEST_F(TestRegistry, FindsManifestsByTagAndDigest) {
    Registry registry(directory_, {});
    for (const char* reference :
         {"v1", "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}) {
        const Reply reply =
            registry.answer(get(std::string("/v2/some/app/manifests/") + reference + "?ns=a.b"), "http")
                .reply;
        EXPECT_EQ(reply.status, 200u) << reference;
        EXPECT_EQ(header(reply, "Content-Type"), "application/x.manifest");
        EXPECT_EQ(header(reply, "Docker-Content-Digest"), "sha256:" + kManifest);
    }
    EXPECT_EQ(registry.answer(get("/v2/some/app/manifests/v2"), "http").reply.status, 404u);
    EXPECT_EQ(registry.answer(get("/v2/some/app/tags/list"), "http").reply.body,
              R"({"name":"some/app","tags":["v1"]})");
}

TEST_F(TestRegistry, AnswersRanges) {
    Registry registry(directory_, {});
    const struct {
        const char* range;
        unsigned status;
        uint64_t from, length;
    } rows[] = {
        {"", 200, 0, 10},          {"bytes=4-", 206, 4, 6},  {"bytes=0-0", 206, 0, 1},
        {"bytes=2-99", 206, 2, 8}, {"bytes=a-", 200, 0, 10},
    };
    for (const auto& row : rows) {
        std::map<std::string, std::string> headers;
        if (*row.range != '\0') headers["range"] = row.range;
        const Reply reply = registry.answer(get("/v2/x/blobs/sha256:" + kBlob, headers), "http").reply;
        EXPECT_EQ(reply.status, row.status) << row.range;
        EXPECT_EQ(reply.from, row.from) << row.range;
        EXPECT_EQ(reply.length, row.length) << row.range;
    }
    const auto beyond = get("/v2/x/blobs/sha256:" + kBlob, {{"range", "bytes=10-"}});
    EXPECT_EQ(registry.answer(beyond, "http").reply.status, 416u);
}

TEST_F(TestRegistry, AppliesARuleAfterAndForAsManyTimesAsItSays) {
    Registry registry(directory_, {});
    ASSERT_FALSE(registry.faults().add(
        R"({"path":"/blobs/","do":"status","status":429,"headers":{"Retry-After":"1"},"after":1,"times":2})"));
    const Request blob = get("/v2/x/blobs/sha256:" + kBlob);
    std::vector<unsigned> statuses;
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(registry.answer(get("/v2/some/app/manifests/v1"), "http").reply.status, 200u);
        const Reply reply = registry.answer(blob, "http").reply;
        statuses.push_back(reply.status);
        EXPECT_EQ(header(reply, "Retry-After"), reply.status == 429 ? "1" : "");
    }
    EXPECT_THAT(statuses, ::testing::ElementsAre(200, 429, 429, 200));
}

TEST_F(TestRegistry, RefusesRulesThatWouldNeverApply) {
    Faults faults;
    EXPECT_TRUE(faults.add(R"({"do":"explode"})"));
    EXPECT_TRUE(faults.add(R"({"do":"stall","time":1})"));
    EXPECT_TRUE(faults.add("{"));
    EXPECT_TRUE(faults.add(R"({"do":"stall","path":"("})"));
    EXPECT_EQ(faults.list(), "[]");
}

TEST_F(TestRegistry, AsksForABearerTokenAndTakesTheOneOfItsTokenServer) {
    Registry registry(directory_, {.scheme = "bearer", .user = "ada", .password = "secret"});
    const std::string manifest = "/v2/some/app/manifests/v1";
    const Reply refused = registry.answer(get(manifest), "https").reply;
    EXPECT_EQ(refused.status, 401u);
    EXPECT_EQ(header(refused, "WWW-Authenticate"),
              "Bearer realm=\"https://here:5000/token\",service=\"orlop-test-registry\","
              "scope=\"repository:some/app:pull\"");
    const std::string ask = "/token?service=orlop-test-registry&scope=repository%3Asome%2Fapp%3Apull";
    EXPECT_EQ(registry.answer(get(ask), "https").reply.status, 401u);
    const Request known = get(ask, {{"authorization", "Basic " + base64_encode("ada:secret")}});
    const Json token = Json::parse(registry.answer(known, "https").reply.body);
    const std::map<std::string, std::string> bearer = {
        {"authorization", "Bearer " + token["token"].get<std::string>()}};
    EXPECT_EQ(registry.answer(get(manifest, bearer), "https").reply.status, 200u);
    EXPECT_EQ(registry.answer(get("/v2/other/manifests/v1", bearer), "https").reply.status, 401u);
    ASSERT_FALSE(registry.faults().add(R"({"do":"expire-token"})"));
    EXPECT_EQ(registry.answer(get(manifest, bearer), "https").reply.status, 401u);
}

TEST_F(TestRegistry, RedirectsToWhereNobodyIsAsked) {
    Registry registry(directory_, {.scheme = "basic", .user = "ada", .password = "secret"});
    ASSERT_FALSE(registry.faults().add(R"({"do":"redirect","to":"http://other:1"})"));
    const std::string blob = "/v2/x/blobs/sha256:" + kBlob;
    const Reply reply = registry.answer(get(blob), "http").reply;
    EXPECT_EQ(reply.status, 307u);
    EXPECT_EQ(header(reply, "Location"), "http://other:1/storage" + blob);
    EXPECT_EQ(registry.answer(get("/storage" + blob), "http").reply.status, 200u);
    EXPECT_EQ(registry.answer(get(blob), "http").reply.status, 401u);
}

struct SentRow {
    const char* fault;
    const char* bytes;
    bool whole;
    uint64_t announced;
};

class HowAnswersAreSent : public TestRegistry, public ::testing::WithParamInterface<SentRow> {};

TEST_P(HowAnswersAreSent, WithAFault) {
    Registry registry(directory_, {});
    ASSERT_FALSE(registry.faults().add(GetParam().fault));
    const Answer answer =
        registry.answer(get("/v2/x/blobs/sha256:" + kBlob, {{"range", "bytes=2-"}}), "http");
    std::string bytes;
    int64_t waited = 0;
    const Wire wire = {
        .write = [&](const char* from, size_t size) { return bytes.append(from, size), true; },
        .wait = [&](int64_t ms) { return waited += ms, waited < 1000; },
    };
    const Sent sent = send_body(answer.reply, answer.fault, registry.faults(), wire);
    EXPECT_EQ(bytes, GetParam().bytes);
    EXPECT_EQ(sent.whole, GetParam().whole);
    EXPECT_EQ(announced_size(answer.reply, answer.fault), GetParam().announced);
}

INSTANTIATE_TEST_SUITE_P(Faults, HowAnswersAreSent,
                         ::testing::Values(SentRow{"[]", "23456789", true, 8},
                                           SentRow{R"({"do":"truncate","at":3})", "234", false, 8},
                                           SentRow{R"({"do":"corrupt","at":0})",
                                                   "\xcd"
                                                   "3456789",
                                                   true, 8},
                                           SentRow{R"({"do":"oversize","at":2})", "23456789xx", true, 10},
                                           SentRow{R"({"do":"stall","at":1})", "2", false, 8},
                                           SentRow{R"({"do":"stall","at":1,"ms":5})", "23456789", true, 8},
                                           SentRow{R"({"do":"rate","bytes_per_second":40})", "23456789", true,
                                                   8},
                                           SentRow{R"({"do":"ignore-range"})", "0123456789", true, 10}));

}  // namespace
}  // namespace orlop::test_registry
