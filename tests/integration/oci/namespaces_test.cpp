// linux.namespaces, time offsets, host and domain names (config-linux.md, "Namespaces").
#include <filesystem>

#include "oci/harness/oci_test.h"

namespace orlop::it {
namespace {

namespace fs = std::filesystem;

// The type in config.json and the name under /proc/<pid>/ns.
struct NsType {
    const char* type;
    const char* file;
};

std::string ns_of(const std::string& process, const std::string& file) {
    return fs::read_symlink("/proc/" + process + "/ns/" + file);
}

class NamespaceTypes : public OciTest, public ::testing::WithParamInterface<NsType> {
  protected:
    void SetUp() override {
        OciTest::SetUp();
        if (GetParam().type == std::string("time")) {
            ORLOP_OCI_LACKED_BY("runc", "time namespaces (1.1)");
            ORLOP_OCI_LACKED_BY("crun", "time namespaces (1.8)");
        }
    }
    std::string show() const { return std::string("readlink /proc/self/ns/") + GetParam().file; }
    Json spec_with(const std::string& script) const {
        Json spec = shell_spec(script);
        if (GetParam().type == std::string("user"))
            map_users(spec, 100000);
        else
            set_namespace(spec, GetParam().type);
        return spec;
    }
};

// All but the mount namespace: a bundle has its own root.
class SharedNamespaceTypes : public NamespaceTypes {};

TEST_P(NamespaceTypes, ListedWithoutAPathIsNew) {
    const std::string inside = output_of(spec_with(show()));
    EXPECT_TRUE(inside.starts_with(std::string(GetParam().file) + ":[")) << inside;
    EXPECT_NE(inside, ns_of("self", GetParam().file));
}

TEST_P(SharedNamespaceTypes, ListedWithAPathIsJoined) {
    if (GetParam().type == std::string("user"))
        ORLOP_OCI_LACKED_BY("runc", "joining a user namespace without maps");
    const Bundle first = launch(spec_with("while :; do sleep 0.05; done"));
    const std::string process = std::to_string(pid(first));
    Json second = shell_spec(show());
    if (GetParam().type == std::string("user"))
        set_namespace(second, "network", "/proc/" + process + "/ns/net");  // one of its own
    set_namespace(second, GetParam().type, "/proc/" + process + "/ns/" + GetParam().file);
    if (GetParam().type == std::string("user")) drop_namespace(second, "network");
    EXPECT_EQ(output_of(second), ns_of(process, GetParam().file));
}

TEST_P(SharedNamespaceTypes, NotListedIsTheHosts) {
    Json spec = shell_spec(show());
    drop_namespace(spec, GetParam().type);
    // sysfs and mqueue belong to namespaces; what is mounted there is not the question here.
    EXPECT_EQ(output_of(spec), ns_of("self", GetParam().file));
}

const NsType kTypes[] = {{"mount", "mnt"}, {"pid", "pid"},       {"network", "net"}, {"ipc", "ipc"},
                         {"uts", "uts"},   {"cgroup", "cgroup"}, {"user", "user"},   {"time", "time"}};

std::string type_name(const ::testing::TestParamInfo<NsType>& tested) {
    return tested.param.type;
}

INSTANTIATE_TEST_SUITE_P(, NamespaceTypes, ::testing::ValuesIn(kTypes), type_name);
INSTANTIATE_TEST_SUITE_P(, SharedNamespaceTypes, ::testing::ValuesIn(kTypes + 1, std::end(kTypes)),
                         type_name);

class Namespaces : public OciTest {};

TEST_F(Namespaces, TheSameTypeTwiceIsRefused) {
    Json spec = shell_spec("true");
    spec["linux"]["namespaces"].push_back({{"type", "uts"}});
    const Bundle b = bundle();
    const Reply reply = run_to_end(b, spec);
    if (reply.code == 0) ORLOP_OCI_LACKED_BY("crun", "the check for duplicate namespaces");
    EXPECT_NE(reply.code, 0);
    expect_nothing_left(b);
}

TEST_F(Namespaces, AnUnknownTypeIsRefused) {
    Json spec = shell_spec("true");
    spec["linux"]["namespaces"].push_back({{"type", "thought"}});
    const Bundle b = bundle();
    EXPECT_NE(run_to_end(b, spec).code, 0);
    expect_nothing_left(b);
}

TEST_F(Namespaces, APathThatIsNoNamespaceIsRefused) {
    for (const char* path : {"/dev/null", "/proc/self/ns/ipc", "/nonexistent"}) {
        Json spec = shell_spec("true");
        set_namespace(spec, "uts", path);
        const Bundle b = bundle();
        EXPECT_NE(run_to_end(b, spec).code, 0) << path;
        expect_nothing_left(b);
    }
}

TEST_F(Namespaces, TheProcessIsPid1OfItsOwn) {
    EXPECT_EQ(output_of(shell_spec("echo $$; ls -d /proc/[0-9]* | wc -l")).substr(0, 2), "1\n");
}

TEST_F(Namespaces, HostAndDomainNameAreSet) {
    EXPECT_EQ(output_of(shell_spec("hostname")), "orlopit");
    ORLOP_OCI_LACKED_BY("runc", "domainname (1.1)");
    Json spec = shell_spec("cat /proc/sys/kernel/domainname");
    spec["domainname"] = "example.test";
    EXPECT_EQ(output_of(spec), "example.test");
}

TEST_F(Namespaces, AHostNameWithoutItsNamespaceIsRefused) {
    Json spec = shell_spec("hostname");
    drop_namespace(spec, "uts");
    spec["hostname"] = "stolen";
    const Bundle b = bundle();
    EXPECT_NE(run_to_end(b, spec).code, 0);
    EXPECT_NE(trimmed(run({"/bin/hostname"}).out), "stolen");
}

TEST_F(Namespaces, TimeOffsetsMoveTheClocks) {
    ORLOP_OCI_LACKED_BY("runc", "time namespaces (1.1)");
    ORLOP_OCI_LACKED_BY("crun", "time namespaces (1.8)");
    Json spec = shell_spec("cut -d. -f1 /proc/uptime; cat /proc/self/timens_offsets");
    set_namespace(spec, "time");
    spec["linux"]["timeOffsets"] = {{"boottime", {{"secs", 5000000}, {"nanosecs", 7}}},
                                    {"monotonic", {{"secs", 3000000}}}};
    const std::string seen = output_of(spec);
    EXPECT_GE(std::atol(seen.c_str()), 5000000) << seen;
    EXPECT_NE(seen.find("3000000"), std::string::npos) << seen;
}

TEST_F(Namespaces, ACgroupNamespaceShowsTheContainersCgroupAsRoot) {
    Json spec = shell_spec("cat /proc/self/cgroup");
    set_namespace(spec, "cgroup");
    EXPECT_EQ(output_of(spec).find(run_mark()), std::string::npos);
}

TEST_F(Namespaces, TheLoopbackOfANewNetworkIsThere) {
    EXPECT_NE(output_of(shell_spec("cat /proc/net/dev")).find("lo:"), std::string::npos);
}

}  // namespace
}  // namespace orlop::it
