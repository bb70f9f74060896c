// What a pod can ask for beyond the usual, looked at from inside real containers: user namespaces, image
// volumes, another container's processes, recursive read-only mounts, groups.
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/dir.h"
#include "harness/mount_table.h"
#include "harness/node_test.h"

namespace orlop::it {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class FeaturesTest : public NodeTest {
  protected:
    void SetUp() override {
        if (place().reference) GTEST_SKIP() << "SKIPPED: containerd 1.6 has none of these";
        NodeTest::SetUp();
    }
    std::string output_of(const std::string& name, const Json& container, const Json& pod) {
        // Logs of a pod of the same name before.
        std::filesystem::remove_all(node().paths().pod_logs + "/" + name);
        const std::string pod_id = crictl().runp(pod);
        const std::string id = crictl().launch(pod_id, container, pod);
        EXPECT_EQ(crictl().wait_exit(id).value("exitCode", -1), 0) << log_of(name, name);
        return crictl().run({"logs", id}).out;
    }
    // The create has to fail; what was said.
    std::string refusal(const Json& container, const Json& pod) {
        const std::string pod_id = crictl().runp(pod);
        const Reply reply = crictl().run({"create", pod_id, crictl().write("refused.json", container),
                                          crictl().write("refused-pod.json", pod)});
        EXPECT_FALSE(reply.ok()) << reply.out;
        return reply.err + reply.out;
    }
    std::string make_volume(const std::string& name) {
        const std::string dir = node().paths().base + "/" + name;
        std::filesystem::create_directories(dir);
        std::ofstream(dir + "/file") << "from the node\n";
        return dir;
    }
};

constexpr int kFirstId = 100000;

Json ranges() {
    return Json::array({{{"host_id", kFirstId}, {"container_id", 0}, {"length", 65536}}});
}

Json user_namespace() {
    return {{"mode", 0}, {"uids", ranges()}, {"gids", ranges()}};
}

Json user_pod(const Node& node, const std::string& name) {
    Json pod = pod_config(node, name);
    pod["linux"]["security_context"]["namespace_options"]["userns_options"] = user_namespace();
    return pod;
}

class UserNamespaceTest : public FeaturesTest {};

TEST_F(UserNamespaceTest, TheContainerIsRootOfItsOwnIdsAndFiles) {
    const Json container = shell_config(
        "ids",
        "cat /proc/self/uid_map /proc/self/gid_map | tr -s ' '; id -u; stat -c '%n %u:%g' / /bin/busybox "
        "/etc/hosts /etc/hostname /dev/shm /proc /dev; echo mine >/mine && chown 7:8 /mine && stat -c "
        "'%u:%g' /mine; "
        "cp /bin/busybox /tmp/true && /tmp/true && echo copied");
    const std::string out = output_of("ids", container, user_pod(node(), "ids"));
    EXPECT_EQ(out,
              " 0 100000 65536\n 0 100000 65536\n0\n/ 0:0\n/bin/busybox 0:0\n/etc/hosts 0:0\n"
              "/etc/hostname 0:0\n/dev/shm 0:0\n/proc 65534:65534\n/dev 0:0\n7:8\ncopied\n");
}

TEST_F(UserNamespaceTest, OutsideItIsNobodyAndWhatItWritesIsToo) {
    const Json pod = user_pod(node(), "outside");
    const std::string pod_id = crictl().runp(pod);
    Json config = shell_config("outside", std::string("echo x >/x; chown 7 /x; ") + kSleepUntilStopped);
    config["linux"]["security_context"]["namespace_options"]["userns_options"] = user_namespace();
    const std::string id = crictl().launch(pod_id, config, pod);
    const pid_t pid = crictl().container_pid(id);
    struct stat st {};
    ASSERT_EQ(stat(("/proc/" + std::to_string(pid)).c_str(), &st), 0);
    EXPECT_EQ(st.st_uid, static_cast<uid_t>(kFirstId));
    const std::string file = node().paths().root + "/containers/" + id + "/upper/x";
    EXPECT_TRUE(eventually(scaled(10), [&] {
        return stat(file.c_str(), &st) == 0 && st.st_uid == static_cast<uid_t>(kFirstId + 7);
    })) << st.st_uid;
    const pid_t pause = crictl().json({"inspectp", "-o", "json", pod_id})["info"].value("pid", 0);
    ASSERT_GT(pause, 0);
    const auto namespace_of = [](pid_t of) {
        return std::filesystem::read_symlink("/proc/" + std::to_string(of) + "/ns/user").string();
    };
    EXPECT_EQ(namespace_of(pause), namespace_of(pid));
    EXPECT_NE(namespace_of(pause), namespace_of(getpid()));
}

TEST_F(UserNamespaceTest, ItsNetworkBelongsToIt) {
    Json container = shell_config("net",
                                  "ip addr add 192.0.2.1/32 dev lo && echo added; cat "
                                  "/proc/sys/net/ipv4/ping_group_range | tr '\\t' ' '; hostname; "
                                  "ls /sys/class/net | tr '\\n' ' '");
    container["linux"]["security_context"]["capabilities"] = {{"add_capabilities", {"NET_ADMIN"}}};
    const std::string out = output_of("net", container, user_pod(node(), "net"));
    EXPECT_THAT(out, HasSubstr("added\n0 65535\nnet\n"));
    EXPECT_THAT(out, HasSubstr("eth0 "));
}

TEST_F(UserNamespaceTest, MayShareThePodsProcesses) {
    Json pod = user_pod(node(), "shared");
    pod["linux"]["security_context"]["namespace_options"]["pid"] = 0;
    Json container = shell_config("shared", "echo pid $$; stat -c %u /proc/1; ls /proc/1/root/ 2>&1 | wc -l");
    container["linux"]["security_context"]["namespace_options"]["pid"] = 0;
    const std::string out = output_of("shared", container, pod);
    EXPECT_THAT(out, Not(HasSubstr("pid 1\n")));
    EXPECT_THAT(out, HasSubstr("\n65535\n")) << "pause is the last of the ids that everyone has";
}

TEST_F(UserNamespaceTest, ExecIsInsideToo) {
    const Json pod = user_pod(node(), "exec");
    const std::string id = crictl().launch(crictl().runp(pod), shell_config("exec", kSleepUntilStopped), pod);
    const Reply reply = crictl().run({"exec", "-s", id, "/bin/sh", "-c",
                                      "tr -s ' ' </proc/self/uid_map; id -u; echo x >/y && echo wrote"});
    EXPECT_EQ(reply.code, 0) << reply.err;
    EXPECT_THAT(reply.out, HasSubstr(" 0 100000 65536\n0\nwrote\n"));
}

TEST_F(UserNamespaceTest, AMappedVolumeKeepsTheNodesIds) {
    const std::string dir = make_volume("mapped");
    ASSERT_EQ(chown(dir.c_str(), 0, 0), 0);
    Json container =
        shell_config("mapped", "stat -c %u /v/file /plain/file; echo x >/v/new; echo x >/plain/new");
    container["mounts"] = {
        {{"host_path", dir}, {"container_path", "/v"}, {"uidMappings", ranges()}, {"gidMappings", ranges()}},
        {{"host_path", dir}, {"container_path", "/plain"}}};
    Json pod = user_pod(node(), "mapped");
    const std::string id = crictl().launch(crictl().runp(pod), container, pod);
    EXPECT_EQ(crictl().wait_exit(id).value("exitCode", -1), 1) << "nobody may not write";
    EXPECT_EQ(crictl().run({"logs", id}).out, "0\n65534\n");
    struct stat st {};
    ASSERT_EQ(stat((dir + "/new").c_str(), &st), 0);
    EXPECT_EQ(st.st_uid, 0u);
}

TEST_F(UserNamespaceTest, OnTheNodesNetworkItIsThePauses) {
    Json pod = host_pod_config(node(), "hostnet");
    pod["linux"]["security_context"]["namespace_options"]["userns_options"] = user_namespace();
    const std::string out = output_of(
        "hostnet", shell_config("hostnet", "tr -s ' ' </proc/self/uid_map; ls /sys/class/net"), pod);
    EXPECT_THAT(out, HasSubstr(" 0 100000 65536\n"));
    EXPECT_THAT(out, HasSubstr("lo"));
}

TEST_F(UserNamespaceTest, IsRefusedWithoutExactlyOneRangeThatHasRoot) {
    const auto refused = [&](const Json& options) {
        Json pod = pod_config(node(), "refused");
        pod["linux"]["security_context"]["namespace_options"]["userns_options"] = options;
        const Reply reply = crictl().run({"runp", crictl().write("refused.json", pod)});
        EXPECT_FALSE(reply.ok());
        return reply.err;
    };
    Json two = user_namespace();
    two["uids"].push_back({{"host_id", 300000}, {"container_id", 0}, {"length", 1}});
    EXPECT_THAT(refused(two), HasSubstr("InvalidArgument"));
    Json rootless = user_namespace();
    rootless["gids"][0]["container_id"] = 1;
    EXPECT_THAT(refused(rootless), HasSubstr("InvalidArgument"));
    EXPECT_THAT(refused({{"mode", 1}}), HasSubstr("InvalidArgument"));
    EXPECT_THAT(refused({{"mode", 3}}), HasSubstr("InvalidArgument"));
}

TEST_F(FeaturesTest, AContainerMayShareTheProcessesOfAnother) {
    const Json pod = pod_config(node(), "target");
    const std::string pod_id = crictl().runp(pod);
    const std::string target = crictl().launch(pod_id, shell_config("target", kSleepUntilStopped), pod);
    Json debugger = shell_config("debug", "echo pid $$; tr '\\0' ' ' </proc/1/cmdline");
    auto& options = debugger["linux"]["security_context"]["namespace_options"];
    options["pid"] = 3;
    options["target_id"] = target;
    const std::string id = crictl().launch(pod_id, debugger, pod);
    EXPECT_EQ(crictl().wait_exit(id).value("exitCode", -1), 0);
    const std::string out = crictl().run({"logs", id}).out;
    EXPECT_THAT(out, Not(HasSubstr("pid 1\n")));
    EXPECT_THAT(out, HasSubstr("/bin/sh -c trap"));
    options["target_id"] = "0123456789abcdef";
    debugger["metadata"]["name"] = "nobody";
    EXPECT_THAT(refusal(debugger, pod_config(node(), "target2")), HasSubstr("no container of this pod"));
}

class ImageVolumeTest : public FeaturesTest {
  protected:
    static constexpr const char* kData = "docker.io/library/it-data:1";
    // Two layers; the upper one replaces and removes.
    void import_data(const char* name = kData) {
        const auto dir = [](const char* path) {
            return ImageFile{.path = path, .mode = 0755, .directory = true};
        };
        ImageSpec image{.name = name, .layers = {}, .config = Json::object()};
        image.layers.push_back({dir("models"),
                                {.path = "models/a", .content = "old\n"},
                                {.path = "models/gone", .content = "no\n"},
                                {.path = "run", .content = "#!/bin/sh\necho ran\n", .mode = 0755},
                                {.path = "latest", .content = "", .link = "/models"}});
        image.layers.push_back({dir("models"),
                                {.path = "models/a", .content = "new\n"},
                                {.path = "models/.wh.gone", .content = ""}});
        const Status imported = node().import(image);
        ASSERT_TRUE(imported) << imported.error().what();
    }
    void TearDown() override {
        crictl().remove_all();
        crictl().run({"rmi", kData});
        FeaturesTest::TearDown();
    }
    static Json volume(const std::string& sub_path = "", const char* image = kData) {
        return {{"container_path", "/data"},
                {"readonly", true},
                {"image", {{"image", image}}},
                {"image_sub_path", sub_path}};
    }
    Json container(const std::string& script, const Json& mount) {
        Json config = shell_config("volume", script);
        config["mounts"] = {mount};
        return config;
    }
};

TEST_F(ImageVolumeTest, IsTheImagesContentReadOnly) {
    import_data();
    const Json config = container(
        "ls /data; cat /data/models/*; /data/run; touch /data/x || echo refused; stat -c %u /data/models",
        volume());
    EXPECT_EQ(output_of("volume", config, pod_config(node(), "volume")),
              "latest\nmodels\nrun\nnew\nran\nrefused\n0\n");
}

TEST_F(ImageVolumeTest, MayBeAPartOfTheImageAndLinksStayInside) {
    import_data();
    EXPECT_EQ(output_of("volume", container("ls /data; mount | grep -c ' /data '", volume("models")),
                        pod_config(node(), "volume")),
              "a\n1\n");
    EXPECT_EQ(output_of("volume", container("cat /data/a", volume("latest")), pod_config(node(), "volume")),
              "new\n");
    EXPECT_EQ(output_of("volume", container("cat /data", volume("models/a")), pod_config(node(), "volume")),
              "new\n");
}

TEST_F(ImageVolumeTest, BelongsToRootOfAUserNamespace) {
    import_data();
    const Json config = container(
        "stat -c %u:%g /data/models /data/models/a; cat /data/models/a; touch /data/x || echo no", volume());
    EXPECT_EQ(output_of("volume", config, user_pod(node(), "volume")), "0:0\n0:0\nnew\nno\n");
    EXPECT_EQ(
        output_of("volume", container("stat -c %u:%g /data/a", volume("models")), user_pod(node(), "volume")),
        "0:0\n");
}

TEST_F(ImageVolumeTest, IsRefusedWhenItOrItsPartIsMissingOrToBeWritten) {
    import_data();
    const Json pod = pod_config(node(), "volume");
    EXPECT_THAT(refusal(container("true", volume("", "docker.io/library/nothing:1")), pod),
                HasSubstr("ImageVolumeMountFailed"));
    EXPECT_THAT(refusal(container("true", volume("none/here")), pod_config(node(), "volume")),
                HasSubstr("ImageVolumeMountFailed"));
    Json writable = volume();
    writable["readonly"] = false;
    EXPECT_THAT(refusal(container("true", writable), pod_config(node(), "volume")),
                HasSubstr("InvalidArgument"));
}

TEST_F(ImageVolumeTest, OutlivesItsImageAndIsToldWithTheImagesId) {
    import_data();
    const Json pod = pod_config(node(), "outlives");
    const std::string id =
        crictl().create(crictl().runp(pod), container("cat /data/models/a", volume()), pod);
    const std::string image = crictl().json({"inspecti", "-o", "json", kData})["status"].value("id", "?");
    const Json mount = crictl().container_status(id)["mounts"][0];
    EXPECT_EQ(mount["image"].value("imageRef", ""), image) << mount;
    crictl().must({"rmi", kData});
    crictl().must({"start", id});
    EXPECT_EQ(crictl().wait_exit(id).value("exitCode", -1), 0);
    EXPECT_EQ(crictl().run({"logs", id}).out, "new\n");
}

TEST_F(FeaturesTest, ReadOnlyReachesWhatIsMountedBelowOnlyIfAsked) {
    const std::string dir = make_volume("tree");
    std::filesystem::create_directories(dir + "/below");
    ASSERT_EQ(mount("none", (dir + "/below").c_str(), "tmpfs", 0, ""), 0);
    const auto try_it = [&](bool recursive) {
        Json container = shell_config("tree", "touch /v/x || echo top; touch /v/below/x || echo below; true");
        container["mounts"] = {{{"host_path", dir},
                                {"container_path", "/v"},
                                {"readonly", true},
                                {"recursive_read_only", recursive}}};
        return output_of("tree", container, pod_config(node(), "tree"));
    };
    EXPECT_EQ(try_it(false), "top\n");
    EXPECT_EQ(try_it(true), "top\nbelow\n");
    umount2((dir + "/below").c_str(), MNT_DETACH);
}

class GroupsTest : public FeaturesTest {
  protected:
    static constexpr const char* kImage = "docker.io/library/it-groups:1";
    void import_groups() {
        ImageSpec image = busybox_image(place().busybox);
        image.name = kImage;
        image.layers.push_back({{.path = "etc/passwd", .content = "root:x:0:0::/:\nann:x:1000:1000::/:\n"},
                                {.path = "etc/group", .content = "ann:x:1000:\nstaff:x:50000:ann\n"}});
        const Status imported = node().import(image);
        ASSERT_TRUE(imported) << imported.error().what();
    }
    void TearDown() override {
        crictl().remove_all();
        crictl().run({"rmi", kImage});
        FeaturesTest::TearDown();
    }
    std::string run_as(const Json& security) {
        Json container =
            shell_config("groups", "id -u; id -g; id -G | tr ' ' '\\n' | sort -n | tr '\\n' ' '");
        container["image"]["image"] = kImage;
        container["linux"]["security_context"].update(security);
        return output_of("groups", container, pod_config(node(), "groups"));
    }
};

TEST_F(GroupsTest, AreMergedWithTheImagesUnlessStrict) {
    import_groups();
    const Json user = {{"run_as_user", {{"value", 1000}}}, {"supplemental_groups", {60000}}};
    EXPECT_EQ(run_as(user), "1000\n1000\n1000 50000 60000 ");
    Json strict = user;
    strict["supplemental_groups_policy"] = 1;
    EXPECT_EQ(run_as(strict), "1000\n1000\n1000 60000 ");
    Json named = {{"run_as_username", "ann"}, {"run_as_group", {{"value", 7}}}};
    EXPECT_EQ(run_as(named), "1000\n7\n7 50000 ");
}

TEST_F(GroupsTest, AreToldInTheStatus) {
    import_groups();
    const Json pod = pod_config(node(), "groups");
    Json container = shell_config("groups", kSleepUntilStopped);
    container["image"]["image"] = kImage;
    container["linux"]["security_context"]["run_as_username"] = "ann";
    const Json status = crictl().container_status(crictl().launch(crictl().runp(pod), container, pod));
    const Json user = status["user"]["linux"];
    EXPECT_EQ(user.value("uid", ""), "1000") << status["user"];
    EXPECT_EQ(user.value("gid", ""), "1000");
    EXPECT_EQ(user.value("supplementalGroups", Json()), Json({"1000", "50000"}));
}

TEST_F(GroupsTest, AGroupWithoutAUserIsRefused) {
    Json container = shell_config("groups", "true");
    container["linux"]["security_context"]["run_as_group"] = {{"value", 7}};
    EXPECT_THAT(refusal(container, pod_config(node(), "groups")), HasSubstr("InvalidArgument"));
}

TEST_F(FeaturesTest, AreToldByTheStatus) {
    const Json info = crictl().json({"info"});
    const Json handlers = info.value("runtimeHandlers", Json::array());
    ASSERT_FALSE(handlers.empty()) << info;
    EXPECT_EQ(handlers[0].value("name", ""), "");
    EXPECT_TRUE(handlers[0]["features"].value("recursive_read_only_mounts", false)) << handlers;
    EXPECT_TRUE(handlers[0]["features"].value("user_namespaces", false)) << handlers;
    EXPECT_TRUE(info["features"].value("supplemental_groups_policy", false)) << info;
    for (const char* key : {"config", "cniconfig", "lastCNILoadStatus"})
        EXPECT_TRUE(info.contains(key)) << key;
}

TEST_F(FeaturesTest, AnUnknownHandlerIsRefused) {
    const Json pod = pod_config(node(), "handler");
    const Reply reply = crictl().run({"runp", "--runtime", "nobody", crictl().write("handler.json", pod)});
    EXPECT_FALSE(reply.ok());
    EXPECT_THAT(reply.err, HasSubstr("\"nobody\\\" is unknown"));
    const std::string id = crictl().must({"runp", "--runtime", "orlop", crictl().write("handler.json", pod)});
    EXPECT_EQ(crictl().pod_status(id).value("runtimeHandler", ""), "orlop");
}

class UpdateTest : public FeaturesTest {
  protected:
    void SetUp() override {
        FeaturesTest::SetUp();
        if (::testing::Test::IsSkipped() || ::testing::Test::HasFatalFailure()) return;
        pod_ = pod_config(node(), "update");
        Json container = shell_config("update", kSleepUntilStopped);
        container["linux"]["resources"] = {{"memory_limit_in_bytes", 64 << 20}, {"cpu_shares", 512}};
        id_ = crictl().create(crictl().runp(pod_), container, pod_);
    }
    void start() {
        crictl().must({"start", id_});
        pid_ = crictl().container_pid(id_);
    }
    std::string memory_limit() const {
        return cgroup_value(pid_, "memory", "memory.limit_in_bytes", "memory.max").value_or("?");
    }
    std::string shares() const { return cgroup_value(pid_, "cpu", "cpu.shares", "cpu.weight").value_or("?"); }
    Json resources() {
        const Json status = crictl().container_status(id_);
        return status.value(Json::json_pointer("/resources/linux"), Json::object());
    }
    Json pod_;
    std::string id_;
    pid_t pid_ = 0;
};

TEST_F(UpdateTest, OfARunningContainerIsInItsCgroupAndItsStatus) {
    start();
    const std::string before = shares();
    crictl().must({"update", "--memory", std::to_string(96 << 20), "--cpu-quota", "30000", id_});
    EXPECT_EQ(memory_limit(), std::to_string(96 << 20));
    EXPECT_EQ(shares(), before);
    const std::string quota = cgroup_value(pid_, "cpu", "cpu.cfs_quota_us", "cpu.max").value_or("?");
    EXPECT_TRUE(quota == "30000" || quota == "30000 100000") << quota;
    EXPECT_EQ(resources().value("memoryLimitInBytes", ""), std::to_string(96 << 20)) << resources();
    EXPECT_EQ(resources().value("cpuShares", ""), "512");
}

TEST_F(UpdateTest, OfACreatedContainerCountsAtItsStart) {
    crictl().must({"update", "--memory", std::to_string(80 << 20), id_});
    EXPECT_EQ(resources().value("memoryLimitInBytes", ""), std::to_string(80 << 20));
    start();
    EXPECT_EQ(memory_limit(), std::to_string(80 << 20));
}

TEST_F(UpdateTest, ThatFailsHalfWayIsTakenBack) {
    start();
    const std::string before = shares();
    // CPU 9999 is on no machine: the kernel refuses it when the shares are written already.
    const Reply reply = crictl().run(
        {"update", "--memory", std::to_string(96 << 20), "--cpu-share", "256", "--cpuset-cpus", "9999", id_});
    EXPECT_FALSE(reply.ok());
    EXPECT_EQ(shares(), before);
    EXPECT_EQ(memory_limit(), std::to_string(64 << 20));
    EXPECT_EQ(resources().value("memoryLimitInBytes", ""), std::to_string(64 << 20));
    EXPECT_EQ(resources().value("cpuShares", ""), "512");
}

TEST_F(UpdateTest, OfAnEndedContainerIsRefused) {
    start();
    crictl().must({"stop", "--timeout", "5", id_});
    EXPECT_THAT(crictl().run({"update", "--memory", std::to_string(96 << 20), id_}).err,
                HasSubstr("has ended"));
}

TEST_F(FeaturesTest, ACheckpointIsRefusedWithTheReason) {
    const Launched c = launch("checkpoint", kSleepUntilStopped);
    const Reply reply = crictl().run({"checkpoint", "--export=/tmp/none.tar", c.container});
    EXPECT_FALSE(reply.ok());
    EXPECT_THAT(reply.err, HasSubstr("Unimplemented"));
    EXPECT_THAT(reply.err, ::testing::AnyOf(HasSubstr("CRIU"), HasSubstr("criu")));
}

TEST_F(FeaturesTest, TheInfoOfAContainerAndItsPodHasAnOciSpec) {
    const Launched c = launch("info", kSleepUntilStopped);
    const Json info = crictl().json({"inspect", "-o", "json", c.container})["info"];
    for (const char* key :
         {"sandboxID", "pid", "removing", "snapshotKey", "runtimeType", "config", "runtimeSpec"})
        EXPECT_TRUE(info.contains(key)) << key;
    const Json& spec = info["runtimeSpec"];
    EXPECT_EQ(spec["process"]["args"][0], "/bin/sh");
    EXPECT_FALSE(spec["linux"]["namespaces"].empty());
    EXPECT_FALSE(spec["process"]["capabilities"]["bounding"].empty());
    const Json pod = crictl().json({"inspectp", "-o", "json", c.pod})["info"];
    for (const char* key : {"pid", "netNamespaceClosed", "image", "runtimeType", "config", "runtimeSpec",
                            "cniResult", "sandboxMetadata", "resources"})
        EXPECT_TRUE(pod.contains(key)) << key;
    EXPECT_THAT(pod["runtimeSpec"]["linux"].value("cgroupsPath", ""), HasSubstr(c.pod));
}

}  // namespace
}  // namespace orlop::it
