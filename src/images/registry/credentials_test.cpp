#include "images/registry/credentials.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>

#include "images/test_support.h"

namespace orlop::registry {
namespace {

using images::test::Scratch;
using Names = std::vector<std::string>;

const Endpoint kOwn{.base = "https://r.example:5000/v2"};

std::string user_in(const std::string& file, const Names& names) {
    const auto entry = parse_auth_file(file, names);
    EXPECT_TRUE(entry) << entry.error().what();
    return entry ? entry->credentials.username + "/" + entry->credentials.password : "";
}

TEST(AuthFile, PrefersTheNarrowestKey) {
    const std::string file = R"({"auths":{
        "r.example:5000":{"auth":"aG9zdDoxMjM="},
        "https://r.example:5000/team":{"auth":"dGVhbTpwOnE="},
        "https://index.docker.io/v1/":{"username":"hub","password":"x"}}})";
    EXPECT_EQ(user_in(file, key_names(kOwn, "r.example:5000", "team/app")), "team/p:q");
    EXPECT_EQ(user_in(file, key_names(kOwn, "r.example:5000", "app")), "host/123");
    EXPECT_EQ(user_in(file, key_names({.base = "https://registry-1.docker.io/v2"}, "docker.io", "library/a")),
              "hub/x");
    EXPECT_EQ(user_in(file, key_names(kOwn, "other.example", "app")), "/");
}

TEST(AuthFile, GivesAMirrorOnlyWhatIsNamedAfterIt) {
    const Endpoint mirror{.base = "https://m.example:443/v2", .mirror = true};
    EXPECT_EQ(key_names(mirror, "r.example", "team/app"), (Names{"m.example:443", "m.example"}));
}

TEST(AuthFile, KnowsTokensAndHelpers) {
    const std::string file = R"({"auths":{"a":{"identitytoken":"i"},"b":{}},"credHelpers":{"c":"one"},
        "credsStore":"two"})";
    EXPECT_EQ(parse_auth_file(file, {"a"})->credentials.identity_token, "i");
    EXPECT_EQ(parse_auth_file(file, {"b"})->helper, "two");
    EXPECT_EQ(parse_auth_file(file, {"c"})->helper, "one");
    EXPECT_EQ(parse_auth_file(file, {"d"})->helper, "");
}

TEST(AuthFile, DoesNotShowSecretsInItsErrors) {
    const auto bad = parse_auth_file(R"({"auths":{"a":{"auth":"secret!"}}})", {"a"});
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().what().find("secret"), std::string::npos);
    EXPECT_FALSE(parse_auth_file("[]", {"a"}));
    EXPECT_FALSE(parse_auth_file(R"({"auths":[]})", {"a"}));
    EXPECT_FALSE(parse_auth_file(R"({"auths":{"a":{"auth":7}}})", {"a"}));
}

class Helper {
  public:
    explicit Helper(const std::string& script) : before_(getenv("PATH")) {
        const std::string file = scratch_.file("docker-credential-t", "#!/bin/sh\n" + script);
        chmod(file.c_str(), 0755);
        signal(SIGPIPE, SIG_IGN);  // as the daemon has it: not every helper reads what it is asked

        setenv("PATH", (scratch_.path() + ":" + before_).c_str(), 1);
        config_ = scratch_.file("config.json", R"({"credHelpers":{"r.example":"t"}})");
    }
    Helper(const Helper&) = delete;
    Helper& operator=(const Helper&) = delete;
    ~Helper() { setenv("PATH", before_.c_str(), 1); }
    Result<Credentials> ask() const { return credentials_from({"/nowhere", config_}, {"r.example"}); }

  private:
    Scratch scratch_;
    std::string before_, config_;
};

TEST(CredentialHelper, IsAskedForTheServer) {
    const auto got = Helper(R"(read server; echo "{\"Username\":\"u-$server-$1\",\"Secret\":\"s\"}")").ask();
    ASSERT_TRUE(got) << got.error().what();
    EXPECT_EQ(got->username, "u-r.example-get");
    EXPECT_EQ(got->password, "s");
}

TEST(CredentialHelper, MayGiveAnIdentityTokenOrNothing) {
    EXPECT_EQ(Helper(R"(echo '{"Username":"<token>","Secret":"i"}')").ask()->identity_token, "i");
    EXPECT_TRUE(Helper("echo credentials not found in native keychain; exit 1").ask()->empty());
    EXPECT_FALSE(Helper("exit 3").ask());
    EXPECT_FALSE(Helper("echo no json").ask());
}

}  // namespace
}  // namespace orlop::registry
