#include "runtime/oci/spec/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/mount.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "runtime/launch/capability_names.h"

namespace orlop::oci {
namespace {

using launch::NsFrom;
using launch::Propagation;
using nlohmann::json;
using testing::HasSubstr;

HostFacts facts() {
    HostFacts out;
    out.capabilities = launch::all_capabilities();
    return out;
}

json good() {
    return json::parse(default_config_json(false));
}

Result<ContainerSpec> parse(const json& config) {
    return parse_spec(config.dump(), "/bundle", facts());
}

ContainerSpec parsed(const json& config) {
    auto spec = parse(config);
    EXPECT_TRUE(spec.ok()) << (spec ? "" : spec.error().what());
    return spec ? *std::move(spec) : ContainerSpec();
}

// The configuration with what a JSON patch of one value makes of it.
json with(const std::string& pointer, json value) {
    json config = good();
    config[json::json_pointer(pointer)] = std::move(value);
    return config;
}

json with_mount(json mount) {
    json config = good();
    config["mounts"] = json::array({std::move(mount)});
    return config;
}

TEST(OciSpec, TheDefaultConfigurationOfOurOwnIsUnderstood) {
    const ContainerSpec spec = parsed(good());
    EXPECT_EQ(spec.plan.root.path, "/bundle/rootfs");
    EXPECT_TRUE(spec.plan.root.readonly);
    EXPECT_EQ(spec.plan.pid.from, NsFrom::New);
    EXPECT_EQ(spec.plan.user.from, NsFrom::Host);
    EXPECT_EQ(spec.plan.hostname, "orlop");
    EXPECT_EQ(spec.plan.process.capabilities.inheritable, 0u);
    EXPECT_EQ(spec.plan.mounts.size(), 7u);
    EXPECT_FALSE(spec.resources.devices.empty());
    EXPECT_TRUE(parse_spec(default_config_json(true), "/b", facts()));
}

struct Wrong {
    const char* name;
    const char* pointer;
    json value;
    const char* words;  // of the error: the path first
};

class WrongConfig : public testing::TestWithParam<Wrong> {};

TEST_P(WrongConfig, IsRefusedNamingTheField) {
    const auto spec = parse(with(GetParam().pointer, GetParam().value));
    ASSERT_FALSE(spec.ok());
    EXPECT_THAT(spec.error().what(), HasSubstr(GetParam().words));
}

const Wrong kWrong[] = {
    {"version", "/ociVersion", "2.0.0", "ociVersion:"},
    {"no_process", "/process", nullptr, "process: is missing"},
    {"no_args", "/process/args", json::array(), "process.args: is missing"},
    {"an_argument_that_is_a_number", "/process/args", {"a", 7}, "process.args[1]: expected a string"},
    {"a_relative_cwd", "/process/cwd", "tmp", "process.cwd: must be absolute"},
    {"env_without_name", "/process/env", {"=x"}, "process.env[0]:"},
    {"home_of_two_lines", "/process/env", {"HOME=/a\nroot::0"}, "process.env[0]: HOME"},
    {"uid_overflow", "/process/user/uid", 4294967296, "process.user.uid: must be from 0 to 4294967294"},
    {"uid_minus_one", "/process/user/uid", 4294967295, "process.user.uid:"},
    {"uid_negative", "/process/user/uid", -1, "process.user.uid:"},
    {"uid_as_text", "/process/user/uid", "0", "process.user.uid: expected an integer"},
    {"umask", "/process/user/umask", 01000, "process.user.umask:"},
    {"limit_name", "/process/rlimits/0/type", "RLIMIT_NONE", "process.rlimits[0].type: unknown limit"},
    {"limit_twice", "/process/rlimits/1", {{"type", "RLIMIT_NOFILE"}}, "process.rlimits[1].type: a second"},
    {"limit_soft", "/process/rlimits/0/soft", 5000, "process.rlimits[0].soft: is above hard"},
    {"capability", "/process/capabilities/bounding", {"NOT_ONE"}, "process.capabilities.bounding[0]:"},
    {"oom", "/process/oomScoreAdj", 1001, "process.oomScoreAdj:"},
    {"scheduler", "/process/scheduler", {{"policy", "SCHED_X"}}, "process.scheduler.policy: unknown"},
    {"priority_of_batch",
     "/process/scheduler",
     {{"policy", "SCHED_BATCH"}, {"priority", 1}},
     "process.scheduler.priority:"},
    {"io",
     "/process/ioPriority",
     {{"class", "IOPRIO_CLASS_BE"}, {"priority", 8}},
     "process.ioPriority.priority:"},
    {"cpus", "/process/execCPUAffinity", {{"final", "3-1"}}, "process.execCPUAffinity.final:"},
    {"root", "/root/path", "/", "root.path:"},
    {"namespace", "/linux/namespaces/0/type", "net", "linux.namespaces[0].type: unknown namespace"},
    {"namespace_twice", "/linux/namespaces/1/type", "pid", "linux.namespaces[1]: a second pid"},
    {"namespace_path", "/linux/namespaces/0/path", "ns", "linux.namespaces[0].path: must be absolute"},
    {"user_without_maps", "/linux/namespaces/6", {{"type", "user"}}, "linux.uidMappings:"},
    {"maps_without_user",
     "/linux/uidMappings",
     {{{"containerID", 0}, {"hostID", 1}, {"size", 1}}},
     "linux.uidMappings:"},
    {"offsets",
     "/linux/timeOffsets",
     {{"monotonic", {{"secs", 1}}}},
     "linux.timeOffsets: needs a new time namespace"},
    {"propagation", "/linux/rootfsPropagation", "sharded", "linux.rootfsPropagation:"},
    {"swap", "/linux/resources/memory", {{"limit", 10}, {"swap", 5}}, "linux.resources.memory.swap:"},
    {"swappiness", "/linux/resources/memory", {{"swappiness", 101}}, "linux.resources.memory.swappiness:"},
    {"io_weight", "/linux/resources/blockIO", {{"weight", 5}}, "linux.resources.blockIO.weight:"},
    {"unified", "/linux/resources/unified", {{"../x.y", "1"}}, "linux.resources.unified.../x.y:"},
    {"unified_core",
     "/linux/resources/unified",
     {{"cgroup.procs", "1"}},
     "linux.resources.unified.cgroup.procs:"},
    {"device_access", "/linux/resources/devices/0/access", "rx", "linux.resources.devices[0].access:"},
    {"device", "/linux/devices", {{{"path", "/dev/x"}, {"type", "z"}}}, "linux.devices[0].type:"},
    {"sysctl_of_the_machine", "/linux/sysctl", {{"kernel.panic", "1"}}, "linux.sysctl.kernel.panic:"},
    {"sysctl_slash", "/linux/sysctl", {{"net/ipv4/ip_forward", "1"}}, "linux.sysctl.net/ipv4/ip_forward:"},
    {"sysctl_plus",
     "/linux/sysctl",
     {{"kernel.shm_rmid_forced", "1+kernel.core_pattern=x"}},
     "linux.sysctl.kernel.shm_rmid_forced:"},
    {"sysctl_line", "/linux/sysctl", {{"net.ipv4.ip_forward", "1\n"}}, "linux.sysctl.net.ipv4.ip_forward:"},
    {"masked", "/linux/maskedPaths", {"proc"}, "linux.maskedPaths:"},
    {"rdt", "/linux/intelRdt", json::object(), "linux.intelRdt:"},
    {"personality", "/linux/personality", {{"domain", "SOLARIS"}}, "linux.personality.domain:"},
    {"net_device", "/linux/netDevices", {{"eth0", {{"name", "a/b"}}}}, "linux.netDevices.eth0.name:"},
    {"hook", "/hooks/poststop", {{{"path", "x"}}}, "hooks.poststop[0].path: must be absolute"},
    {"hook_timeout", "/hooks/poststart", {{{"path", "/x"}, {"timeout", 0}}}, "hooks.poststart[0].timeout:"},
    {"mounts", "/mounts", "none", "mounts: expected an array"},
    {"mount_option", "/mounts/0/options", {1}, "mounts[0].options[0]: expected a string"},
    {"inside_proc",
     "/mounts/1",
     {{"destination", "/proc/self/attr"}, {"type", "tmpfs"}},
     "mounts[1].destination:"},
    {"inside_proc_by_dots",
     "/mounts/1",
     {{"destination", "/tmp/../proc/1"}, {"type", "tmpfs"}},
     "mounts[1].destination:"},
    {"bind_option",
     "/mounts/1",
     {{"destination", "/a"}, {"source", "/b"}, {"options", {"bind", "size=1"}}},
     "mounts[1].options[1]:"},
    {"annotation", "/annotations", {{"a", 1}}, "annotations.a: expected a string"},
    {"nul", "/hostname", std::string("a\0b", 3), "hostname: contains a NUL"},
};
INSTANTIATE_TEST_SUITE_P(OciSpec, WrongConfig, testing::ValuesIn(kWrong),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(OciSpec, BrokenTextIsAnErrorNotACrash) {
    EXPECT_FALSE(parse_spec("", "/b", facts()));
    EXPECT_FALSE(parse_spec("[]", "/b", facts()));
    EXPECT_FALSE(parse_spec("{", "/b", facts()));
    EXPECT_FALSE(parse_spec(std::string(100000, '['), "/b", facts()));
}

TEST(OciSpec, NamespacesAreMadeJoinedOrTheHosts) {
    json config = good();
    config["linux"]["namespaces"] = {{{"type", "mount"}}, {{"type", "network"}, {"path", "/run/netns/a"}}};
    config.erase("hostname");
    const auto plan = parsed(config).plan;
    EXPECT_EQ(plan.net.from, NsFrom::Path);
    EXPECT_EQ(plan.net.path, "/run/netns/a");
    EXPECT_EQ(plan.pid.from, NsFrom::Host);
    EXPECT_EQ(plan.cgroup_namespace.from, NsFrom::Host);
}

struct Options {
    const char* name;
    std::vector<std::string> options;
    uint64_t set, clear, recursive_set;
    Propagation propagation;
};

class BindOptions : public testing::TestWithParam<Options> {};

TEST_P(BindOptions, BecomeAttributes) {
    const Options& row = GetParam();
    std::vector<std::string> options = row.options;
    options.insert(options.begin(), "rbind");
    const auto plan =
        parsed(with_mount({{"destination", "/a"}, {"source", "src"}, {"options", options}})).plan;
    ASSERT_EQ(plan.mounts.size(), 1u);
    EXPECT_EQ(plan.mounts[0].type, "bind");
    EXPECT_EQ(plan.mounts[0].source, "/bundle/src");
    EXPECT_TRUE(plan.mounts[0].recursive);
    EXPECT_EQ(plan.mounts[0].attributes, row.set);
    EXPECT_EQ(plan.mounts[0].clear, row.clear);
    EXPECT_EQ(plan.mounts[0].recursive_attributes, row.recursive_set);
    EXPECT_EQ(plan.mounts[0].propagation, row.propagation);
}

const Options kOptions[] = {
    {"none", {}, 0, 0, 0, Propagation::Private},
    {"read_only", {"ro", "nosuid"}, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0, Propagation::Private},
    {"the_last_word_counts", {"ro", "rw"}, 0, MOUNT_ATTR_RDONLY, 0, Propagation::Private},
    {"recursive", {"rro", "rshared"}, 0, 0, MOUNT_ATTR_RDONLY, Propagation::Shared},
    {"rslave_is_not_a_recursive_lave", {"rslave"}, 0, 0, 0, Propagation::Slave},
    {"relatime_is_not_a_recursive_elatime", {"relatime"}, 0, MOUNT_ATTR__ATIME, 0, Propagation::Private},
    {"noatime", {"noatime"}, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0, Propagation::Private},
    {"nosymfollow", {"nosymfollow", "unbindable"}, MOUNT_ATTR_NOSYMFOLLOW, 0, 0, Propagation::Unbindable},
};
INSTANTIATE_TEST_SUITE_P(OciSpec, BindOptions, testing::ValuesIn(kOptions),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(OciSpec, OptionsOfAFilesystemGoToIt) {
    const auto plan = parsed(with_mount({{"destination", "/t"},
                                         {"type", "tmpfs"},
                                         {"source", "tmpfs"},
                                         {"options", {"size=1m", "noswap", "ro", "rw", "tmpcopyup"}}}))
                          .plan;
    EXPECT_EQ(plan.mounts[0].options,
              (std::vector<std::pair<std::string, std::string>>{{"size", "1m"}, {"noswap", ""}}));
    EXPECT_EQ(plan.mounts[0].attributes | plan.mounts[0].clear, 0u);
    EXPECT_TRUE(plan.mounts[0].copy_up);
}

TEST(OciSpec, TheCpusOfAnExecAreListed) {
    const auto spec = parsed(with("/process/execCPUAffinity", {{"initial", "0"}, {"final", "1-3,7"}}));
    EXPECT_EQ(spec.plan.process.initial_cpus, std::vector<uint32_t>{0});
    EXPECT_EQ(spec.plan.process.final_cpus, (std::vector<uint32_t>{1, 2, 3, 7}));
}

TEST(OciSpec, ResourcesComeThrough) {
    const json resources = {
        {"memory",
         {{"limit", 1048576},
          {"reservation", 4096},
          {"swap", 2097152},
          {"swappiness", 10},
          {"disableOOMKiller", true}}},
        {"cpu",
         {{"shares", 512},
          {"quota", 20000},
          {"period", 50000},
          {"burst", 100},
          {"idle", 1},
          {"cpus", "0-1"}}},
        {"pids", {{"limit", 7}}},
        {"blockIO",
         {{"weight", 100}, {"throttleReadBpsDevice", {{{"major", 8}, {"minor", 0}, {"rate", 1000}}}}}},
        {"hugepageLimits", {{{"pageSize", "2MB"}, {"limit", 2097152}}}},
        {"network", {{"classID", 5}, {"priorities", {{{"name", "lo"}, {"priority", 2}}}}}},
        {"rdma", {{"mlx5_0", {{"hcaHandles", 3}}}}},
        {"unified", {{"memory.high", "900000"}}}};
    const auto r = parse_resources(resources.dump());
    ASSERT_TRUE(r) << r.error().what();
    EXPECT_EQ(r->memory_limit, 1048576);
    EXPECT_EQ(r->memory_swap_limit, 2097152);
    EXPECT_EQ(r->memory_reservation, 4096);
    EXPECT_EQ(r->memory_swappiness, 10u);
    EXPECT_EQ(r->disable_oom_killer, true);
    EXPECT_EQ(r->cpu_burst_us, 100u);
    EXPECT_EQ(r->cpu_idle, 1);
    EXPECT_EQ(r->pids_limit, 7);
    ASSERT_EQ(r->io_devices.size(), 1u);
    EXPECT_EQ(r->io_devices[0].read_bps, 1000u);
    EXPECT_EQ(r->hugepages.at("2MB"), 2097152u);
    EXPECT_EQ(r->net_class, 5u);
    EXPECT_EQ(r->net_priority.at("lo"), 2u);
    EXPECT_EQ(r->rdma.at("mlx5_0").handles, 3u);
    EXPECT_EQ(r->unified.at("memory.high"), "900000");
}

TEST(OciSpec, HooksGoToWhoRunsThem) {
    json config = good();
    for (const char* kind :
         {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"})
        config["hooks"][kind] = {{{"path", std::string("/") + kind}, {"timeout", 3}}};
    const auto spec = parsed(config);
    EXPECT_EQ(spec.hooks.prestart.at(0).path, "/prestart");
    EXPECT_EQ(spec.hooks.create_runtime.at(0).path, "/createRuntime");
    EXPECT_EQ(spec.plan.create_container.at(0).timeout_seconds, 3);
    EXPECT_EQ(spec.plan.start_container.at(0).path, "/startContainer");
    EXPECT_EQ(spec.hooks.poststart.size() + spec.hooks.poststop.size(), 2u);
}

TEST(OciSpec, ExecProcessesAreCheckedAlike) {
    const auto good_one = parse_process(
        R"({"args": ["id"], "cwd": "/", "user": {"uid": 5, "gid": 6, "additionalGids": [7]}})", facts());
    ASSERT_TRUE(good_one) << good_one.error().what();
    EXPECT_EQ(good_one->user.uid, 5u);
    EXPECT_TRUE(good_one->user.strict_groups);
    EXPECT_FALSE(parse_process(R"({"cwd": "/"})", facts()));
    EXPECT_FALSE(parse_process(R"({"args": ["id"], "cwd": "/", "user": {"uid": 4294967296}})", facts()));
}

TEST(OciFeatures, NamesWhatTheParserTakes) {
    const json features = json::parse(features_json());
    EXPECT_EQ(features["ociVersionMax"], "1.3.0");
    EXPECT_EQ(features["hooks"].size(), 6u);
    for (const json& option : features["mountOptions"]) {
        // What is offered has to be understood, on a bind or on a filesystem.
        const json on_tmpfs = with_mount({{"destination", "/a"}, {"type", "tmpfs"}, {"options", {option}}});
        const json on_bind =
            with_mount({{"destination", "/a"},
                        {"type", "bind"},
                        {"source", "/b"},
                        {"options", {option}},
                        {"uidMappings", {{{"containerID", 0}, {"hostID", 1}, {"size", 1}}}},
                        {"gidMappings", {{{"containerID", 0}, {"hostID", 1}, {"size", 1}}}}});
        EXPECT_TRUE(parse(on_tmpfs).ok() || parse(on_bind).ok()) << option;
    }
    EXPECT_EQ(features["linux"]["capabilities"].size(), 41u);
}

}  // namespace
}  // namespace orlop::oci
