#include "runtime/seccomp/profile.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

#include <filesystem>
#include <fstream>

#include "runtime/seccomp/machine.h"

namespace orlop::seccomp {
namespace {

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
const uint32_t kPerm = errno_return(EPERM);
constexpr uint64_t kAdmin = uint64_t{1} << CAP_SYS_ADMIN;

std::string compiled(const std::string& json, uint64_t capabilities = 0) {
    auto filter = compile_profile(json, capabilities);
    EXPECT_TRUE(filter.ok()) << (filter ? "" : filter.error().what());
    return filter ? filter->program : "";
}

void expect_error(const Result<Filter>& result, Kind kind, const std::string& words) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().kind(), kind);
    EXPECT_NE(result.error().what().find(words), std::string::npos) << result.error().what();
}

TEST(SeccompJson, ReadsTheOciForm) {
    const std::string filter = compiled(R"({
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
        "syscalls": [
            {"names": ["chmod", "fchmodat", "no_such_call"], "action": "SCMP_ACT_ERRNO"},
            {"names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
            {"names": ["ptrace"], "action": "SCMP_ACT_KILL_PROCESS"},
            {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args": [
                {"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]},
            {"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [
                {"index": 0, "value": 268435456, "valueTwo": 268435456, "op": "SCMP_CMP_MASKED_EQ"}]}
        ]})");
    EXPECT_EQ(ask_filter(filter, "read"), kAllow);
    EXPECT_EQ(ask_filter(filter, "chmod"), kPerm);
    EXPECT_EQ(ask_filter(filter, "fchmodat"), kPerm);
    EXPECT_EQ(ask_filter(filter, "sethostname"), errno_return(ENOSYS));
    EXPECT_EQ(ask_filter(filter, "ptrace"), SECCOMP_RET_KILL_PROCESS);
    EXPECT_EQ(ask_filter(filter, "personality", {8}), kPerm);
    EXPECT_EQ(ask_filter(filter, "personality", {0}), kAllow);
    EXPECT_EQ(ask_filter(filter, "clone", {0x10000011}), kPerm);
    EXPECT_EQ(ask_filter(filter, "clone", {0x11}), kAllow);
#if defined(__x86_64__)
    EXPECT_EQ(ask_filter(filter, "chmod", {}, SCMP_ARCH_X86), kPerm);
#endif
}

TEST(SeccompJson, ReadsDockersForm) {
    const std::string profile = R"({
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
        "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
                    {"architecture": "SCMP_ARCH_S390X", "subArchitectures": ["SCMP_ARCH_S390"]}],
        "syscalls": [
            {"name": "read", "action": "SCMP_ACT_ALLOW", "args": null},
            {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
             "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
            {"names": ["write"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["s390x"]}},
            {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
            {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "99.0"}}
        ]})";
    const std::string plain = compiled(profile);
    const std::string admin = compiled(profile, kAdmin);
    EXPECT_EQ(ask_filter(plain, "read"), kAllow);
    EXPECT_EQ(ask_filter(plain, "mount"), errno_return(ENOSYS));
    EXPECT_EQ(ask_filter(admin, "mount"), kAllow);
    EXPECT_EQ(ask_filter(plain, "clone3"), kPerm);
    EXPECT_EQ(ask_filter(admin, "clone3"), errno_return(ENOSYS));
    EXPECT_EQ(ask_filter(plain, "write"), errno_return(ENOSYS));
    EXPECT_EQ(ask_filter(plain, "ptrace"), kAllow);
    EXPECT_EQ(ask_filter(plain, "bpf"), errno_return(ENOSYS));
}

TEST(SeccompJson, TakesConditionsOnOneArgumentAsAlternatives) {
    const std::string filter = compiled(R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}]})");
    EXPECT_EQ(ask_filter(filter, "personality", {0}), kAllow);
    EXPECT_EQ(ask_filter(filter, "personality", {8}), kAllow);
    EXPECT_EQ(ask_filter(filter, "personality", {1}), kPerm);
}

TEST(SeccompJson, RefusesWhatItDoesNotUnderstand) {
    const struct {
        const char* name;
        const char* json;
        Kind kind;
        const char* words;
    } rows[] = {
        {"not JSON", "{", Kind::Invalid, "seccomp profile"},
        {"not an object", "[]", Kind::Invalid, "not a JSON object"},
        {"no default action", "{}", Kind::Invalid, "unknown action \"\""},
        {"a wrong type", R"({"defaultAction": 7})", Kind::Invalid, "seccomp profile"},
        {"an unknown action", R"({"defaultAction": "SCMP_ACT_MAYBE"})", Kind::Invalid, "SCMP_ACT_MAYBE"},
        {"an unknown architecture",
         R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_Z80"]})", Kind::Invalid,
         "SCMP_ARCH_Z80"},
        {"an unknown operator", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "op": "~"}]}]})",
         Kind::Invalid, "unknown operator"},
        {"an argument that no call has", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "op": "SCMP_CMP_EQ"}]}]})",
         Kind::Invalid, "index 6"},
        {"a rule about nothing", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"action": "SCMP_ACT_ERRNO"}]})",
         Kind::Invalid, "without names"},
        {"no errno", R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 70000})", Kind::Invalid,
         "70000"},
        {"everything to a listener", R"({"defaultAction": "SCMP_ACT_NOTIFY"})", Kind::Invalid,
         "SCMP_ACT_NOTIFY"},
        {"a listener nowhere",
         R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]})",
         Kind::Invalid, "listenerPath"},
        {"a listener for what hands it over", R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/l",
            "syscalls": [{"names": ["sendmsg"], "action": "SCMP_ACT_NOTIFY"}]})",
         Kind::Invalid, "sendmsg"},
        {"a flag", R"({"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_NEW_LISTENER"]})",
         Kind::Invalid, "SECCOMP_FILTER_FLAG_NEW_LISTENER"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        expect_error(compile_profile(row.json, 0), row.kind, row.words);
    }
}

TEST(SeccompJson, FlagsAndTheListenerComeAlong) {
    const auto filter = compile_profile(
        R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/l", "listenerMetadata": "m",
        "flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]})",
        0);
    ASSERT_TRUE(filter) << filter.error().what();
    EXPECT_EQ(filter->flags, 1u << 1 | 1u << 3 | 1u << 5);  // LOG, NEW_LISTENER, WAIT_KILLABLE_RECV
    EXPECT_EQ(filter->listener_path, "/run/l");
    EXPECT_EQ(filter->listener_metadata, "m");
    EXPECT_EQ(ask_filter(filter->program, "mkdir"), SECCOMP_RET_USER_NOTIF);
}

class SeccompCacheTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string dir = "/tmp/orlop-seccomp-XXXXXX";
        ASSERT_NE(mkdtemp(dir.data()), nullptr);
        dir_ = dir;
    }
    void TearDown() override { std::filesystem::remove_all(dir_); }
    std::string only_file() const {
        std::string found;
        for (const auto& entry : std::filesystem::directory_iterator(dir_ + "/cache")) found = entry.path();
        return found;
    }
    std::string dir_;
    const std::string profile_ =
        R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]})";
};

TEST_F(SeccompCacheTest, TheSecondTimeTheFileAnswers) {
    const auto first = compile_profile_cached(profile_, 0, dir_ + "/cache");
    ASSERT_TRUE(first);
    EXPECT_EQ(std::filesystem::status(dir_ + "/cache").permissions(), std::filesystem::perms::owner_all);
    const auto second = compile_profile_cached(profile_, 0, dir_ + "/cache");
    ASSERT_TRUE(second);
    EXPECT_EQ(second->program, first->program);
    EXPECT_EQ(second->program, compile_profile(profile_, 0)->program);
}

TEST_F(SeccompCacheTest, AFileOfAnotherProfileOrADamagedOneIsNotBelieved) {
    ASSERT_TRUE(compile_profile_cached(profile_, 0, dir_ + "/cache"));
    const std::string file = only_file();
    std::string other = profile_;
    other.replace(other.find("mkdir"), 5, "rmdir");
    // As after a collision of the hash: the other profile's entry under this one's name.
    ASSERT_TRUE(compile_profile_cached(other, 0, dir_ + "/other"));
    for (const auto& entry : std::filesystem::directory_iterator(dir_ + "/other"))
        std::filesystem::copy_file(entry.path(), file, std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(ask_filter(compile_profile_cached(profile_, 0, dir_ + "/cache")->program, "mkdir"), kPerm);
    std::ofstream(file, std::ios::trunc) << "rubbish";
    EXPECT_EQ(ask_filter(compile_profile_cached(profile_, 0, dir_ + "/cache")->program, "mkdir"), kPerm);
}

TEST_F(SeccompCacheTest, ACacheThatCannotBeIsNoError) {
    EXPECT_TRUE(compile_profile_cached(profile_, 0, "/proc/no/such/place"));
}

}  // namespace
}  // namespace orlop::seccomp
