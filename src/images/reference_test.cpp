#include <gtest/gtest.h>

#include "images/lookup.h"
#include "images/store.h"

namespace orlop::images {
namespace {

const std::string kHex(64, 'a');
const std::string kDigest = "sha256:" + kHex;

struct Row {
    std::string name, text, expected;
};

class GoodReference : public testing::TestWithParam<Row> {};

TEST_P(GoodReference, IsNormalizedAsDockerDoes) {
    const auto r = Reference::parse(GetParam().text);
    ASSERT_TRUE(r.ok()) << r.error().what();
    EXPECT_EQ(r->str(), GetParam().expected);
    EXPECT_EQ(Reference::parse(r->str()).value().str(), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodReference,
    testing::Values(Row{"Short", "busybox", "docker.io/library/busybox:latest"},
                    Row{"Tag", "busybox:1.36", "docker.io/library/busybox:1.36"},
                    Row{"HubUser", "someone/thing", "docker.io/someone/thing:latest"},
                    Row{"OldHub", "index.docker.io/busybox", "docker.io/library/busybox:latest"},
                    Row{"HostPort", "host:5000/a/b:v1", "host:5000/a/b:v1"},
                    Row{"Localhost", "localhost/a", "localhost/a:latest"},
                    Row{"Dotted", "quay.io/a__b/c-d.e", "quay.io/a__b/c-d.e:latest"},
                    Row{"UpperHost", "HOST/a", "HOST/a:latest"},
                    Row{"Ipv6", "[::1]:5000/a:t", "[::1]:5000/a:t"},
                    Row{"Digest", "host:5000/a/b@" + kDigest, "host:5000/a/b@" + kDigest},
                    Row{"TagAndDigest", "a:t@" + kDigest, "docker.io/library/a:t@" + kDigest},
                    Row{"LongestTag", "a:" + std::string(128, 't'),
                        "docker.io/library/a:" + std::string(128, 't')}),
    [](const auto& row) { return row.param.name; });

class BadReference : public testing::TestWithParam<Row> {};

TEST_P(BadReference, IsRefusedAndTheReasonNamed) {
    const auto r = Reference::parse(GetParam().text);
    ASSERT_FALSE(r.ok()) << r->str();
    EXPECT_NE(r.error().what().find(GetParam().expected), std::string::npos) << r.error().what();
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadReference,
    testing::Values(
        Row{"Empty", "", "no repository name"}, Row{"OnlyTag", ":v1", "no repository name"},
        Row{"UpperCase", "Busybox", "upper case"}, Row{"UpperPath", "host.io/Busybox", "upper case"},
        Row{"EmptyComponent", "host.io//a", "not a component"},
        Row{"Traversal", "host.io/../a", "not a component"},
        Row{"ThreeUnderscores", "a___b", "not a component"}, Row{"TrailingDash", "a-", "not a component"},
        Row{"Space", "a b", "not a component"}, Row{"Nul", std::string("a\0b", 3), "not a component"},
        Row{"EmptyTag", "a:", "tag"}, Row{"LongTag", "a:" + std::string(129, 't'), "tag"},
        Row{"TagWithSlashless", "a:b:c", "tag"}, Row{"ShortDigest", "a@sha256:abcd", "64 hexadecimal"},
        Row{"OtherDigest", "a@sha512:" + kHex, "only sha256"}, Row{"Id", kHex, "an image id"},
        Row{"Port", "host:port/a", "not a registry host"}, Row{"Host", "-host.io/a", "not a registry host"},
        Row{"LongName", "h.io/" + std::string(260, 'a'), "longer than 255"},
        Row{"Huge", std::string(100'000, 'a'), "longer than 512"}),
    [](const auto& row) { return row.param.name; });

std::vector<Image> some_images() {
    Image one, two;
    one.id = "sha256:beef" + std::string(60, '1');
    one.repo_tags = {"docker.io/library/one:latest"};
    one.repo_digests = {"docker.io/library/one@" + kDigest};
    two.id = "sha256:beef" + std::string(60, '2');
    two.repo_tags = {"docker.io/library/beef1:latest", "host:5000/two:v2"};
    return {one, two};
}

struct LookupRow {
    std::string name, text;
    int expected;  // -1 = none
};

class Lookup : public testing::TestWithParam<LookupRow> {};

TEST_P(Lookup, FindsTheImageThatIsMeant) {
    const auto r = find_image(some_images(), GetParam().text);
    ASSERT_TRUE(r.ok()) << r.error().what();
    EXPECT_EQ(r->has_value() ? static_cast<int>(**r) : -1, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Lookup,
    testing::Values(LookupRow{"Tag", "one", 0}, LookupRow{"FullTag", "host:5000/two:v2", 1},
                    LookupRow{"OtherTag", "host:5000/two:v3", -1}, LookupRow{"ByDigest", "one@" + kDigest, 0},
                    LookupRow{"TagBesideDigestIsDecoration", "one:other@" + kDigest, 0},
                    LookupRow{"DigestOfAnotherName", "two@" + kDigest, -1},
                    LookupRow{"WholeId", "sha256:beef" + std::string(60, '2'), 1},
                    LookupRow{"BareId", "beef" + std::string(60, '1'), 0}, LookupRow{"Prefix", "beef2", 1},
                    LookupRow{"PrefixWithAlgorithm", "sha256:beef11", 0},
                    LookupRow{"NameBeforePrefix", "beef1", 1}, LookupRow{"UnknownId", kHex, -1},
                    LookupRow{"UnknownPrefix", "dead", -1}, LookupRow{"TooShortPrefixIsAName", "bee", -1}),
    [](const auto& row) { return row.param.name; });

TEST(Lookup, RefusesAnAmbiguousPrefixAndNonsense) {
    EXPECT_EQ(find_image(some_images(), "beef").error().kind(), Kind::Invalid);
    EXPECT_EQ(find_image(some_images(), "sha256:xyz").error().kind(), Kind::Invalid);
    EXPECT_EQ(find_image(some_images(), "No Such").error().kind(), Kind::Invalid);
}

}  // namespace
}  // namespace orlop::images
