// Attacks by what a pod's or container's configuration says.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/dir.h"
#include "harness/attack_test.h"

namespace orlop::it {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class AttacksByPods : public AttackTest {};

constexpr const char* kMachines = "/proc/sys/fs/lease-break-time";  // not namespaced, and nobody waits for it

std::string machines_value() {
    return read_file(kMachines).value_or("");
}

// CVE-2022-0811: a sysctl of the whole machine, hidden in the value or in the spelling of another one. What
// comes to the kernel has come too far, whatever the kernel makes of it.
TEST_F(AttacksByPods, ASysctlOfTheMachine) {
    const std::string before = machines_value();
    const std::string other = before == "46\n" ? "47" : "46";
    const std::pair<std::string, std::string> rows[] = {
        {"fs.lease-break-time", other},
        {"fs/lease-break-time", other},
        {"kernel.shm_rmid_forced", "1+fs.lease-break-time=" + other},
        {"kernel.shm_rmid_forced", "1\n"},
        {"kernel.shm_rmid_forced+fs.lease-break-time", other},
        {"kernel.msgmax/../../fs/lease-break-time", other},
    };
    for (const auto& [name, value] : rows) {
        SCOPED_TRACE(name + " = " + value);
        expect_defended("sysctl-check", [&] {
            const auto run_with = [&](const std::string& key, const std::string& text) {
                Json pod = new_pod("sysctl");
                pod["linux"]["sysctls"] = {{key, text}};
                return run_to_end(pod, shell_config("sysctl", "exit 0"));
            };
            const Outcome outcome = run_with(name, value);
            const bool changed = machines_value() != before;
            // The way that it came is the way back: our own /proc/sys may be read-only.
            if (changed) run_with("fs.lease-break-time", before.substr(0, before.find('\n')));
            EXPECT_EQ(machines_value(), before);
            return changed || outcome.refusal.find("InvalidArgument") == std::string::npos;
        });
    }
}

// CVE-2022-4318: a home directory of two lines, where runtimes write it into /etc/passwd.
TEST_F(AttacksByPods, ANewlineInTheHomeDirectory) {
    expect_defended("control-characters", [&] {
        Json container = shell_config("home", "echo \"$HOME\"; cat /etc/passwd");
        container["envs"] = {{{"key", "HOME"}, {"value", "/:/bin/sh\nevil:x:0:0::/:/bin/sh"}}};
        container["linux"]["security_context"]["run_as_user"] = {{"value", 4711}};
        return run_to_end(new_pod("home"), container).out.find("evil:x:0:0") != std::string::npos;
    });
}

TEST_F(AttacksByPods, ANewlineInTheHomeDirectoryOfTheImage) {
    ImageSpec image = hostile_image("it-home", {});
    image.config["Env"].push_back("HOME=/:/bin/sh\nevil:x:0:0::/:/bin/sh");
    import(image);
    expect_defended("control-characters", [&] {
        const Json container = in_image(shell_config("home", "echo \"$HOME\"; cat /etc/passwd"), image);
        return run_to_end(new_pod("home"), container).out.find("evil:x:0:0") != std::string::npos;
    });
}

// The same for the other files that we write: a search domain that brings a name server with it.
TEST_F(AttacksByPods, ANewlineInASearchDomain) {
    expect_defended("control-characters", [&] {
        Json pod = new_pod("dns");
        pod["dns_config"] = {{"servers", {"10.0.0.1"}}, {"searches", {"it.local\nnameserver 192.0.2.66"}}};
        const Outcome outcome = run_to_end(pod, shell_config("dns", "grep ^nameserver /etc/resolv.conf"));
        return outcome.out.find("192.0.2.66") != std::string::npos;
    });
}

// CVE-2025-0750: a log that is not below the pod's log directory.
TEST_F(AttacksByPods, ALogOutsideOfThePodsDirectory) {
    const std::string victim = victim_directory();
    const std::pair<const char*, const char*> rows[] = {
        {"", "../../victim/log"}, {"/../../victim", "log"}, {"", "sub/../../../victim/log"}};
    for (const auto& [directory, path] : rows) {
        SCOPED_TRACE(std::string(directory) + " and " + path);
        expect_defended("log-path,log-links", [&] {
            Json pod = new_pod("log");
            Json container = shell_config("log", "echo mine");
            pod["log_directory"] = pod["log_directory"].get<std::string>() + directory;
            container["log_path"] = path;
            // ".." needs something to leave.
            EXPECT_TRUE(
                make_dirs(node().paths().pod_logs + "/" + pod["hostname"].get<std::string>() + "/sub"));
            (void)run_to_end(pod, container);
            const bool written = fs::exists(victim + "/log");
            fs::remove(victim + "/log");
            return written;
        });
    }
}

// The same by a link: a pod that has mounted its log directory puts one where the next container's log is to
// be.
TEST_F(AttacksByPods, ALinkInThePodsLogDirectory) {
    const std::string victim = victim_directory();
    for (const char* target : {"host", "relative"}) {
        SCOPED_TRACE(target);
        expect_defended("log-links", [&] {
            Json pod = new_pod("links");
            const std::string logs = pod["log_directory"];
            EXPECT_TRUE(make_dirs(logs));
            const bool relative = std::string_view(target) == "relative";
            fs::create_directory_symlink(relative ? "../../victim" : victim, logs + "/sub");
            Json container = shell_config("links", "echo mine");
            container["log_path"] = "sub/made.log";
            (void)run_to_end(pod, container);
            const bool written = fs::exists(victim + "/made.log");
            fs::remove(victim + "/made.log");
            return written;
        });
    }
}

// CVE-2020-15257: a process on the host's network sees the host's abstract sockets.
TEST_F(AttacksByPods, AnAbstractSocketOfTheShim) {
    const ImageSpec image = hostile_image("it-abstract", {attacker_file("attacker")});
    import(image);
    expect_defended("path-socket", [&] {
        Json pod = host_pod_config(node(), new_pod("abstract")["hostname"]);
        Json container = in_image(command_config("abstract", {"/attacker", "abstract", "orlop"}), image);
        container["linux"]["security_context"]["namespace_options"]["network"] = 2;
        const Outcome outcome = run_to_end(pod, container);
        EXPECT_TRUE(outcome.started) << outcome.refusal;
        return outcome.code == 0;
    });
}

// CVE-2024-3154: what other runtimes do when an annotation says so. Nobody here asks annotations or labels,
// so that there is no defence to leave out: that the same wish in its proper field is seen shows that the
// test sees.
TEST_F(AttacksByPods, AnnotationsAndLabelsThatOtherRuntimesObey) {
    const Json hostile = {{"io.kubernetes.cri-o.Devices", "/dev/full:/dev/hostile:rwm"},
                          {"io.kubernetes.cri-o.umask", "0"},
                          {"io.kubernetes.cri-o.ShmSize", "1Gi"},
                          {"io.kubernetes.cri-o.userns-mode", "auto"},
                          {"io.kubernetes.cri-o.cgroup2-mount-hierarchy-rw", "true"},
                          {"io.kubernetes.cri-o.seccompNotifierAction", "stop"},
                          {"io.kubernetes.cri-o.PodLinuxOverhead", "{\"memory\": 1}"},
                          {"io.containers.trace-syscall", "of:/tmp/traced"},
                          {"org.systemd.property.DefaultDependencies", "true"},
                          {"org.systemd.property.ExecStartPre", "'touch /tmp/hostile'"},
                          {"run.oci.keep_original_groups", "1"},
                          {"run.oci.mount_context_type", "rootcontext"},
                          {"run.oci.hooks.stderr", "/tmp/hostile"},
                          {"cdi.k8s.io/hostile", "vendor.example/device=all"},
                          {"module.wasm.image/variant", "compat"}};
    ImageSpec image = hostile_image("it-labels", {});
    image.config["Labels"] = hostile;
    import(image);
    const auto what_it_is = [&](const ImageSpec& of, const Json& annotations, const Json& more) {
        Json pod = new_pod("annotations");
        pod["annotations"] = annotations;
        Json container =
            in_image(shell_config("annotations",
                                  "ls /dev; df -k /dev/shm | tail -1; id -G; cut -d' ' -f2,3 /proc/mounts\n"
                                  "grep -E '^(Umask|Uid|Groups|Cap|NoNewPrivs|Seccomp)' /proc/self/status\n"
                                  "cat /proc/self/uid_map"),
                     of);
        container["annotations"] = annotations;
        container.update(more);
        const Outcome outcome = run_to_end(pod, container);
        EXPECT_EQ(outcome.code, 0) << outcome.refusal << outcome.out;
        return outcome.out;
    };
    const std::string plain = what_it_is(busybox_image(place().busybox), Json::object(), Json::object());
    // One layer more is the only difference.
    EXPECT_EQ(what_it_is(image, hostile, Json::object()), what_it_is(image, Json::object(), Json::object()));
    EXPECT_EQ(what_it_is(busybox_image(place().busybox), hostile, Json::object()), plain);
    const Json device = {
        {"devices",
         {{{"host_path", "/dev/full"}, {"container_path", "/dev/hostile"}, {"permissions", "rwm"}}}}};
    EXPECT_NE(what_it_is(busybox_image(place().busybox), Json::object(), device), plain);
    for (const char* trace : {"/tmp/hostile", "/tmp/traced"}) EXPECT_FALSE(fs::exists(trace)) << trace;
}

}  // namespace
}  // namespace orlop::it
