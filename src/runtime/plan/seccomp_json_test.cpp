#include "runtime/plan/seccomp_machine.h"
#include "runtime/plan/test_request.h"

namespace orlop::plan {
namespace {

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
const uint32_t kPerm = errno_return(EPERM);
constexpr uint64_t kAdmin = uint64_t{1} << CAP_SYS_ADMIN;

std::string compiled(const std::string& json, uint64_t capabilities = 0) {
    auto filter = compile_seccomp_json(json, capabilities);
    EXPECT_TRUE(filter.ok()) << (filter ? "" : filter.error().what());
    return filter.value_or("");
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
        {"a listener", R"({"defaultAction": "SCMP_ACT_NOTIFY"})", Kind::Unimplemented, "SCMP_ACT_NOTIFY"},
        {"a flag", R"({"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG"]})",
         Kind::Unimplemented, "SECCOMP_FILTER_FLAG_LOG"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        expect_error(compile_seccomp_json(row.json, 0), row.kind, row.words);
    }
}

}  // namespace
}  // namespace orlop::plan
