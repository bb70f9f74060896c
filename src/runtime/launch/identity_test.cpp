#include "runtime/launch/identity.h"

#include <gtest/gtest.h>

namespace orlop::launch {
namespace {

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/var/www:/bin/false\nbroken line\nbad:x:notanumber:1::/:/\n"
    "app:x:1000:1000::/home/app:/bin/sh\n";
constexpr std::string_view kGroup = "root:x:0:\nwww:x:33:\nextra:x:50:web,app\nmore:x:51:app\n";

struct Row {
    const char* name;
    User user;
    uint32_t uid, gid;
    std::vector<uint32_t> groups;
    const char* home;
};

TEST(ResolveUser, FollowsPasswdAndGroup) {
    const Row rows[] = {
        {"nothing is root", {}, 0, 0, {0}, "/root"},
        {"a name brings its groups", {.user = "app"}, 1000, 1000, {1000, 50, 51}, "/home/app"},
        {"a number with an entry too", {.user = "33"}, 33, 33, {33, 50}, "/var/www"},
        {"a number without an entry", {.user = "4242"}, 4242, 0, {0}, "/"},
        {"name and group", {.user = "web:extra"}, 33, 50, {50}, "/var/www"},
        {"numbers for both", {.user = "5:6"}, 5, 6, {6}, "/"},
        {"run_as_user wins over the image",
         {.user = "web", .uid = 1000},
         1000,
         1000,
         {1000, 50, 51},
         "/home/app"},
        {"run_as_group wins", {.user = "app", .gid = 9}, 1000, 9, {9, 50, 51}, "/home/app"},
        {"merge adds", {.user = "app", .groups = {7, 50}}, 1000, 1000, {1000, 50, 51, 7}, "/home/app"},
        {"strict takes none of the file's",
         {.user = "app", .groups = {7}, .strict_groups = true},
         1000,
         1000,
         {1000, 7},
         "/home/app"},
    };
    for (const Row& row : rows) {
        const auto r = resolve_user(row.user, kPasswd, kGroup);
        ASSERT_TRUE(r) << row.name << ": " << r.error().what();
        EXPECT_EQ(r->identity.uid, row.uid) << row.name;
        EXPECT_EQ(r->identity.gid, row.gid) << row.name;
        EXPECT_EQ(r->identity.groups, row.groups) << row.name;
        EXPECT_EQ(r->home, row.home) << row.name;
    }
}

TEST(ResolveUser, RefusesWhatCouldBecomeRootByOverflow) {
    for (const char* text : {"4294967296", "4294967295", "-1", "99999999999999999999", "nobody-here",
                             "web:nogroup", "0:4294967296"}) {
        const auto r = resolve_user({.user = text}, kPasswd, kGroup);
        ASSERT_FALSE(r) << text;
        EXPECT_EQ(r.error().kind(), Kind::Invalid) << text;
    }
}

}  // namespace
}  // namespace orlop::launch
