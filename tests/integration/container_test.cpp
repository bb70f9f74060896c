// What a container finds around it: namespaces, root file system, mounts, environment, identity, layers.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "harness/node_test.h"

namespace orlop::it {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ContainerTest : public NodeTest {
  protected:
    // The output of a container that runs to its end.
    std::string output_of(const std::string& name, Json container, Json pod) {
        const std::string pod_id = crictl().runp(pod);
        const std::string id = crictl().launch(pod_id, container, pod);
        EXPECT_EQ(crictl().wait_exit(id).value("exitCode", -1), 0) << log_of(name, name);
        return crictl().run({"logs", id}).out;
    }
    std::string output_of(const std::string& name, const std::string& script) {
        return output_of(name, shell_config(name, script), pod_config(node(), name));
    }
};

TEST_F(ContainerTest, SeesItsOwnProcessesHostnameAndInterfaces) {
    const std::string out = output_of("own", "echo pid $$; hostname; ls /sys/class/net | tr '\\n' ' '");
    EXPECT_THAT(out, HasSubstr("pid 1\nown\n"));
    EXPECT_THAT(out, HasSubstr("eth0 "));
    EXPECT_THAT(out, Not(HasSubstr("orlopit0")));
}

TEST_F(ContainerTest, SharesThePodsProcessesWhenAsked) {
    Json container = shell_config("shared", "echo pid $$; tr '\\0' ' ' </proc/1/cmdline");
    container["linux"]["security_context"]["namespace_options"]["pid"] = 0;
    Json pod = pod_config(node(), "shared");
    pod["linux"]["security_context"]["namespace_options"]["pid"] = 0;
    const std::string out = output_of("shared", container, pod);
    EXPECT_THAT(out, Not(HasSubstr("pid 1\n"))) << "PID 1 is the pod's pause";
    EXPECT_THAT(out, Not(HasSubstr("/bin/sh")));
}

TEST_F(ContainerTest, GetsEnvironmentArgumentsAndDirectory) {
    Json container = command_config("env", {"/bin/sh", "-c", "echo $0 $1; echo $GREETING; pwd"});
    container["args"] = {"zero", "one"};
    container["envs"] = {{{"key", "GREETING"}, {"value", "hi there"}}};
    container["working_dir"] = "/var";
    EXPECT_EQ(output_of("env", container, pod_config(node(), "env")), "zero one\nhi there\n/var\n");
}

TEST_F(ContainerTest, RunsAsTheUserItIsGivenWithDefaultCapabilitiesOnly) {
    Json container = shell_config("user", "id -u; id -g; grep -E 'CapBnd|NoNewPrivs' /proc/self/status");
    container["linux"]["security_context"].update(
        {{"run_as_user", {{"value", 33}}}, {"run_as_group", {{"value", 33}}}, {"no_new_privs", true}});
    const std::string out = output_of("user", container, pod_config(node(), "user"));
    EXPECT_THAT(out, HasSubstr("33\n33\n"));
    EXPECT_THAT(out, HasSubstr("CapBnd:\t00000000a80425fb"));
    EXPECT_THAT(out, HasSubstr("NoNewPrivs:\t1"));
}

TEST_F(ContainerTest, CannotWriteWhatKernelPathsProtect) {
    // As the kubelet sends them.
    Json container = shell_config(
        "paths",
        "cat /proc/kcore | wc -c; ls /sys/firmware | wc -l; "
        "echo 1 >/proc/sys/kernel/hostname && echo wrote; echo x >/sys/x && echo wrote; echo end");
    container["linux"]["security_context"].update(
        {{"masked_paths", {"/proc/kcore", "/sys/firmware"}}, {"readonly_paths", {"/proc/sys"}}});
    EXPECT_EQ(output_of("paths", container, pod_config(node(), "paths")), "0\n0\nend\n");
}

TEST_F(ContainerTest, HasItsDevicesAndAPrivateShm) {
    const std::string out =
        output_of("dev",
                  "echo gone >/dev/null; head -c 4 /dev/zero | wc -c; echo x >/dev/shm/y && cat /dev/shm/y; "
                  "ls /dev/full /dev/random /dev/tty /dev/ptmx /dev/mqueue -d; readlink /dev/fd");
    EXPECT_EQ(out, "4\nx\n/dev/full\n/dev/mqueue\n/dev/ptmx\n/dev/random\n/dev/tty\n/proc/self/fd\n");
}

TEST_F(ContainerTest, ItsWritesStayInItsOwnLayer) {
    EXPECT_EQ(output_of("first", "echo mine >/etc/mine; cat /etc/mine"), "mine\n");
    EXPECT_EQ(output_of("second", "ls /etc/mine 2>/dev/null; echo end"), "end\n");
}

TEST_F(ContainerTest, MountsFromTheNodeAreThereReadOnlyIfAsked) {
    const std::string dir = node().paths().base + "/volume";
    std::filesystem::create_directories(dir);
    std::ofstream(dir + "/file") << "from the node\n";
    Json container =
        shell_config("mounts", "cat /ro/file; echo x >/ro/new || echo refused; echo new >/rw/new");
    container["mounts"] = {{{"host_path", dir}, {"container_path", "/ro"}, {"readonly", true}},
                           {{"host_path", dir}, {"container_path", "/rw"}}};
    EXPECT_EQ(output_of("mounts", container, pod_config(node(), "mounts")), "from the node\nrefused\n");
    std::ifstream written(dir + "/new");
    std::string text;
    std::getline(written, text);
    EXPECT_EQ(text, "new");
}

TEST_F(ContainerTest, UpperLayersReplaceAndRemoveWhatLowerOnesHold) {
    ImageSpec image = busybox_image(place().busybox);
    image.name = "docker.io/library/it-layers:1";
    const auto dir = [](const char* path) {
        return ImageFile{.path = path, .mode = 0755, .directory = true};
    };
    const auto file = [](const char* path, const char* content) {
        return ImageFile{.path = path, .content = content};
    };
    image.layers.push_back({dir("data"), file("data/kept", "kept\n"), file("data/removed", "no\n"),
                            file("data/replaced", "old\n"), dir("opaque"), file("opaque/below", "no\n")});
    image.layers.push_back({dir("data"), file("data/.wh.removed", ""), file("data/replaced", "new\n"),
                            dir("opaque"), file("opaque/.wh..wh..opq", ""), file("opaque/above", "above\n")});
    image.config["Entrypoint"] = {"/bin/sh", "-c",
                                  "cd /data; ls; cat kept replaced; ls /opaque; echo $LAYERED; pwd"};
    image.config["Env"].push_back("LAYERED=yes");
    const Status imported = node().import(image);
    ASSERT_TRUE(imported) << imported.error().what();
    Json container = command_config("layers", {});
    container.erase("command");
    container["image"]["image"] = image.name;
    EXPECT_EQ(output_of("layers", container, pod_config(node(), "layers")),
              "kept\nreplaced\nkept\nnew\nabove\nyes\n/data\n");
    crictl().remove_all();
    crictl().must({"rmi", image.name});
}

TEST_F(ContainerTest, TwoContainersOfAPodShareNetworkAndIpcButNotFiles) {
    const Json pod = pod_config(node(), "pair");
    const std::string pod_id = crictl().runp(pod);
    crictl().launch(
        pod_id,
        shell_config(
            "server",
            "echo shared >/dev/shm/x; echo from localhost >/www/index.html; exec httpd -f -p 80 -h /www"),
        pod);
    const std::string client =
        crictl().launch(pod_id,
                        shell_config("client",
                                     "until wget -q -O - http://127.0.0.1/; do usleep 50000; done; cat "
                                     "/dev/shm/x; ls /www/index.html"),
                        pod);
    EXPECT_EQ(crictl().wait_exit(client).value("exitCode", -1), 1) << "the last ls fails";
    EXPECT_EQ(crictl().run({"logs", client}).out, "from localhost\nshared\n");
}

TEST_F(ContainerTest, AHostNetworkPodSeesTheNodesInterfaces) {
    const std::string out = output_of("host", shell_config("host", "ls /sys/class/net; ip -o link"),
                                      host_pod_config(node(), "host"));
    // The bridge is there when any pod with an address was; lo always is, eth0 of a pod network never is
    // here.
    EXPECT_THAT(out, HasSubstr("lo"));
    if (!place().systemd) {
        EXPECT_THAT(out, Not(HasSubstr("eth0")));
    }
}

}  // namespace
}  // namespace orlop::it
