// What a registry may do wrong, and what may not come of it.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/base64.h"
#include "images/registry/test_support.h"

namespace orlop::registry {
namespace {

using images::test::Scratch;
using images::test::small_layer;
using test::Call;
using test::FakeRegistry;
using test::HttpServer;
using test::Node;
using test::Reply;

bool is_blob(const Call& call) {
    return call.path().find("/blobs/") != std::string::npos;
}

test::TestImage one_layer() {
    return test::make_image({small_layer("one")});
}

bool has(const Error& error, const std::string& text) {
    return error.what().find(text) != std::string::npos;
}

// The first `count` calls that `matches` are answered by `reply`.
FakeRegistry::Fault at_first(int count, bool (*matches)(const Call&), Reply reply) {
    auto left = std::make_shared<std::atomic<int>>(count);
    return [=](const Call& call) -> std::optional<Reply> {
        if (!matches(call) || left->fetch_sub(1) <= 0) return std::nullopt;
        return reply;
    };
}

bool any(const Call&) {
    return true;
}

struct Fixture {
    Scratch scratch;
    FakeRegistry registry;
    test::TestImage image = one_layer();
    Node node{scratch};
    Fixture() { registry.push(image, "1"); }
    std::string reference() const { return registry.reference("app:1"); }
    std::string layer_path() const { return "/v2/app/blobs/" + image.layer_digests[0]; }
};

TEST(RegistryFaults, ARegistryThatIsBusyIsAskedAgain) {
    for (const int status : {408, 429, 500, 502, 503, 504}) {
        Fixture at;
        at.registry.set_fault(at_first(4, any, {.status = status, .headers = {{"Retry-After", "0"}}}));
        at.node.pulled(at.reference());
    }
}

TEST(RegistryFaults, AfterFiveAttemptsItIsUnavailable) {
    Fixture at;
    at.registry.set_fault(at_first(1000, any, {.status = 503}));
    const Error error = at.node.refused(at.reference());
    EXPECT_TRUE(has(error, kUnavailable)) << error.what();
    EXPECT_EQ(error.kind(), Kind::Unavailable);
    EXPECT_EQ(at.registry.server().calls().size(), 5u);
}

TEST(RegistryFaults, NobodyListeningIsUnavailable) {
    const Scratch scratch;
    Node node(scratch);
    const Error error = node.refused("127.0.0.1:1/app:1");
    EXPECT_TRUE(has(error, kUnavailable)) << error.what();
}

TEST(RegistryFaults, RetryAfterIsWaitedForAndTooLongAWaitIsNot) {
    Fixture at;
    at.registry.set_fault(at_first(1, any, {.status = 429, .headers = {{"Retry-After", "1"}}}));
    const auto begin = std::chrono::steady_clock::now();
    at.node.pulled(at.reference());
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
    at.registry.set_fault(at_first(1000, any, {.status = 429, .headers = {{"Retry-After", "7200"}}}));
    const Error error = at.node.refused(at.reference());
    EXPECT_TRUE(has(error, "7200 s")) << error.what();
}

TEST(RegistryFaults, AStallInTheMiddleIsContinuedByRange) {
    Fixture at;
    at.registry.set_fault([&](const Call& call) -> std::optional<Reply> {
        if (call.path() != at.layer_path() || !call.header("range").empty()) return std::nullopt;
        Reply reply = at.registry.honest(call);
        reply.cut = 100;
        reply.stall = true;
        return reply;
    });
    at.node.pulled(at.reference());
    EXPECT_EQ(at.registry.server().count("GET " + at.layer_path()), 2u);
}

TEST(RegistryFaults, AServerThatIgnoresRangesSendsAllAgain) {
    Fixture at;
    at.registry.ignore_ranges(true);
    std::atomic<int> calls{0};
    at.registry.set_fault([&](const Call& call) -> std::optional<Reply> {
        if (call.path() != at.layer_path() || calls++ > 0) return std::nullopt;
        Reply reply = at.registry.honest(call);
        reply.cut = 600;
        return reply;
    });
    at.node.pulled(at.reference());
    EXPECT_EQ(at.registry.server().count("GET " + at.layer_path()), 2u);
}

TEST(RegistryFaults, ABlobThatIsAlwaysCutShortIsAnError) {
    Fixture at;
    at.registry.set_fault([&](const Call& call) -> std::optional<Reply> {
        if (call.path() != at.layer_path()) return std::nullopt;
        Reply reply = at.registry.honest(call);
        reply.cut = 0;
        return reply;
    });
    EXPECT_TRUE(has(at.node.refused(at.reference()), "broke off"));
}

TEST(RegistryFaults, WrongBytesAreAnError) {
    Fixture at;
    at.registry.set_fault([&](const Call& call) -> std::optional<Reply> {
        if (call.path() != at.layer_path()) return std::nullopt;
        Reply reply = at.registry.honest(call);
        reply.body[reply.body.size() / 2] ^= 1;
        return reply;
    });
    at.node.refused(at.reference());
    at.registry.set_fault(nullptr);
    at.node.pulled(at.reference());
}

TEST(RegistryFaults, ALayerLongerOrShorterThanItsDescriptorIsAnError) {
    Fixture at;
    const std::string content = at.image.blobs.at(at.image.layer_digests[0]);
    at.registry.set_blob(at.image.layer_digests[0], content + std::string(4096, 'x'));
    EXPECT_TRUE(has(at.node.refused(at.reference()), "longer than"));
    at.registry.set_blob(at.image.layer_digests[0], content.substr(0, content.size() - 512));
    EXPECT_TRUE(has(at.node.refused(at.reference()), "broke off"));
}

TEST(RegistryFaults, AManifestWithAnotherDigestIsAnError) {
    Fixture at;
    at.registry.set_fault([&](const Call& call) -> std::optional<Reply> {
        if (call.method != "GET" || call.path().find("/manifests/") == std::string::npos) return std::nullopt;
        Reply reply = at.registry.honest(call);
        reply.body += " ";
        return reply;
    });
    EXPECT_TRUE(has(at.node.refused(at.reference()), "another digest"));
}

TEST(RegistryFaults, AManifestOfMoreThanFourMebibytesIsNotRead) {
    Fixture at;
    at.registry.set_fault([&](const Call& call) -> std::optional<Reply> {
        if (call.method != "GET" || is_blob(call)) return std::nullopt;
        return Reply{.body = std::string(5u << 20, ' ')};
    });
    EXPECT_EQ(at.node.refused(at.reference()).kind(), Kind::Exhausted);
}

TEST(RegistryFaults, Schema1AndArtifactsAndAmbiguousManifestsAreRefused) {
    Fixture at;
    const std::string digest = "sha256:" + std::string(64, 'a');
    const std::string descriptor =
        R"({"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":")" + digest + "\"}";
    at.registry.push_index(R"({"schemaVersion":1,"fsLayers":[],"signatures":[]})", "schema1");
    at.registry.push_index(R"({"schemaVersion":2,"config":)" + descriptor + R"(,"layers":[]})", "artifact");
    at.registry.push_index(R"({"schemaVersion":2,"config":)" + descriptor + R"(,"layers":[],"manifests":[]})",
                           "both");
    const auto with_no_type = [&](const Call& call) -> std::optional<Reply> {
        Reply reply = at.registry.honest(call);
        reply.headers.clear();
        return reply;
    };
    at.registry.set_fault(with_no_type);
    EXPECT_TRUE(has(at.node.refused(at.registry.reference("app:schema1")), "schema 1"));
    EXPECT_TRUE(has(at.node.refused(at.registry.reference("app:artifact")), "artifact"));
    EXPECT_TRUE(has(at.node.refused(at.registry.reference("app:both")), "both an index and a manifest"));
}

TEST(RegistryFaults, ContentThatIsNotWhatItsTypeSaysIsRefused) {
    Fixture at;
    at.registry.set_fault([&](const Call& call) -> std::optional<Reply> {
        if (call.path().find("/manifests/") == std::string::npos) return std::nullopt;
        Reply reply = at.registry.honest(call);
        reply.headers = {{"Content-Type", "application/vnd.oci.image.index.v1+json"}};
        return reply;
    });
    at.node.refused(at.reference());
}

TEST(RegistryFaults, RegistriesWithoutHeadAreAskedByGet) {
    Fixture at;
    at.registry.set_fault([&](const Call& call) -> std::optional<Reply> {
        return call.method == "HEAD" ? std::optional(Reply{.status = 405}) : std::nullopt;
    });
    at.node.pulled(at.reference());
}

TEST(Redirects, GoToAnotherHostWithoutAuthorization) {
    Fixture at;
    HttpServer elsewhere(
        [&](const Call&) { return Reply{.body = at.image.blobs.at(at.image.layer_digests[0])}; });
    at.registry.set_fault([&](const Call& call) -> std::optional<Reply> {
        if (call.header("authorization").empty())
            return Reply{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"x\""}}};
        if (call.path() != at.layer_path()) return std::nullopt;
        return Reply{.status = 307, .headers = {{"Location", elsewhere.origin() + "/store/x?sig=1"}}};
    });
    const auto pulled = at.node.pull(at.reference(), {"u", "p", "", ""});
    ASSERT_TRUE(pulled) << pulled.error().what();
    ASSERT_EQ(elsewhere.calls().size(), 1u);
    EXPECT_EQ(elsewhere.calls()[0].header("authorization"), "");
    EXPECT_EQ(elsewhere.calls()[0].target, "/store/x?sig=1");
}

TEST(Redirects, WithoutEndOrToForbiddenPlacesAreErrors) {
    Fixture at;
    const auto to = [&](const std::string& where) {
        at.registry.set_fault([where](const Call& call) -> std::optional<Reply> {
            if (!is_blob(call)) return std::nullopt;
            return Reply{.status = 302, .headers = {{"Location", where}}};
        });
        return at.node.refused(at.reference());
    };
    EXPECT_TRUE(has(to(at.layer_path()), "without end"));
    EXPECT_TRUE(has(to("http://169.254.169.254/latest/meta-data"), "link-local"));
    EXPECT_TRUE(has(to("http://elsewhere.example/x"), "plain http"));
    EXPECT_TRUE(has(to("file:///etc/passwd"), "neither http"));
    to("");
}

// A registry that wants a token, and its token server.
struct WithTokens {
    Fixture at;
    std::atomic<int> issued{0};
    std::atomic<int> valid_from{1};  // older tokens have expired
    bool knows_post = true;
    HttpServer tokens{[this](const Call& call) {
        if (call.method == "POST" && !knows_post) return Reply{.status = 404};
        return Reply{.body = R"({"token":"t)" + std::to_string(++issued) + R"(","expires_in":300})"};
    }};
    WithTokens() {
        at.registry.set_fault([this](const Call& call) -> std::optional<Reply> {
            const std::string header = call.header("authorization");
            if (header.starts_with("Bearer t") && std::stoi(header.substr(8)) >= valid_from)
                return std::nullopt;
            return Reply{.status = 401,
                         .headers = {{"WWW-Authenticate", "Bearer realm=\"" + tokens.origin() +
                                                              "/token?a=b\",service=\"the reg\","
                                                              "scope=\"repository:app:pull\""}}};
        });
    }
};

TEST(Tokens, AreFetchedOnceAndKept) {
    WithTokens with;
    with.at.node.pulled(with.at.reference());
    EXPECT_EQ(with.issued, 1);
    EXPECT_EQ(with.tokens.calls()[0].target, "/token?a=b&service=the%20reg&scope=repository%3Aapp%3Apull");
    EXPECT_EQ(with.tokens.calls()[0].header("authorization"), "");
    with.at.node.pulled(with.at.reference());
    EXPECT_EQ(with.issued, 1);
}

TEST(Tokens, ThatExpireInTheMiddleAreFetchedAnew) {
    WithTokens with;
    with.at.node.pulled(with.at.reference());
    ASSERT_TRUE(with.at.node.store->remove(with.at.reference()));
    with.valid_from = 2;
    with.at.node.pulled(with.at.reference());
    EXPECT_EQ(with.issued, 2);
}

TEST(Tokens, ArePaidForByPostOrByGet) {
    for (const bool post : {true, false}) {
        WithTokens with;
        with.knows_post = post;
        with.at.node.pulled(with.at.reference(), {"us er", "pa&ss", "", ""});
        const auto calls = with.tokens.calls();
        EXPECT_EQ(calls[0].method, "POST");
        EXPECT_TRUE(calls[0].body.find("username=us%20er&password=pa%26ss") != std::string::npos);
        if (post) continue;
        EXPECT_EQ(calls[1].header("authorization"), "Basic " + base64_encode("us er:pa&ss"));
    }
}

TEST(Tokens, OfIdentityAndRegistryAreUsedAsSuch) {
    WithTokens with;
    with.at.node.pulled(with.at.reference(), {"", "", "refresh", ""});
    EXPECT_TRUE(with.tokens.calls()[0].body.find("grant_type=refresh_token&refresh_token=refresh") !=
                std::string::npos);
    WithTokens direct;
    direct.at.node.pulled(direct.at.reference(), {"", "", "", "t7"});
    EXPECT_TRUE(direct.tokens.calls().empty());
}

TEST(Tokens, WrongCredentialsAreAnErrorWithoutThem) {
    Fixture at;
    at.registry.set_fault([&](const Call&) -> std::optional<Reply> {
        return Reply{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"x\""}}};
    });
    const Error error = at.node.refused(at.reference(), {"user", "hush", "", ""});
    EXPECT_TRUE(has(error, "authentication required")) << error.what();
    EXPECT_FALSE(has(error, "hush"));
    EXPECT_EQ(error.kind(), Kind::Precondition);
}

struct WithMirror {
    Scratch certs;
    FakeRegistry mirror;
    Fixture at;
    WithMirror() {
        EXPECT_TRUE(make_dirs(certs / at.registry.server().authority()));
        certs.file(at.registry.server().authority() + "/hosts.toml",
                   "[host.\"" + mirror.server().origin() + "\"]\n  capabilities = [\"pull\", \"resolve\"]\n");
        at.node.puller = std::make_unique<Puller>(
            *at.node.store, at.node.clock, Settings{.hosts_dir = certs.path(), .patience = test::quick()});
    }
};

TEST(Mirrors, AreAskedFirstAndToldForWhom) {
    WithMirror with;
    with.mirror.push(with.at.image, "1");
    const auto image = with.at.node.pulled(with.at.reference());
    EXPECT_EQ(image.repo_tags, std::vector<std::string>{with.at.reference()});
    EXPECT_TRUE(with.at.registry.server().calls().empty());
    for (const Call& call : with.mirror.server().calls())
        EXPECT_TRUE(
            call.target.ends_with("?ns=127.0.0.1%3A" + with.at.registry.server().authority().substr(10)));
}

TEST(Mirrors, ThatHaveNothingOrFailLeaveItToTheRegistryAtOnce) {
    WithMirror with;
    with.at.node.pulled(with.at.reference());
    ASSERT_TRUE(with.at.node.store->remove(with.at.reference()));
    with.mirror.push(with.at.image, "1");
    with.mirror.set_fault(at_first(1000, any, {.status = 500}));
    const size_t before = with.mirror.server().calls().size();
    with.at.node.pulled(with.at.reference());
    EXPECT_EQ(with.mirror.server().calls().size(), before + 4);  // HEAD, manifest, config, layer: once each
}

TEST(Mirrors, ThatSendWrongBytesAreNotAskedForThemAgain) {
    WithMirror with;
    with.mirror.push(with.at.image, "1");
    with.mirror.set_blob(with.at.image.layer_digests[0],
                         std::string(with.at.image.blobs.at(with.at.image.layer_digests[0]).size(), 'x'));
    with.at.node.pulled(with.at.reference());
    EXPECT_EQ(with.at.registry.server().count("GET " + with.at.layer_path()), 1u);
}

TEST(Mirrors, DoNotGetTheCredentialsOfTheRegistry) {
    WithMirror with;
    const auto ask = [](const Call& call) -> std::optional<Reply> {
        if (!call.header("authorization").empty()) return std::nullopt;
        return Reply{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"x\""}}};
    };
    with.mirror.push(with.at.image, "1");
    with.mirror.set_fault(ask);
    with.at.registry.set_fault(ask);
    with.at.node.pulled(with.at.reference(), {"u", "p", "", ""});
    for (const Call& call : with.mirror.server().calls()) EXPECT_EQ(call.header("authorization"), "");
}

}  // namespace
}  // namespace orlop::registry
