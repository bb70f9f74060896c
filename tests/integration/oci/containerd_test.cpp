// Debian's containerd with the OCI runtime as BinaryName: `ctr run`, and its CRI with crictl.
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "base/dir.h"
#include "harness/crictl.h"
#include "harness/images.h"
#include "oci/harness/oci_test.h"

namespace orlop::it {
namespace {

constexpr const char* kPause = "registry.k8s.io/pause:it";

class Containerd : public OciTest {
  protected:
    static void TearDownTestSuite() {
        if (daemon_ != nullptr && daemon_->running()) (void)daemon_->end(SIGTERM, scaled(20));
        daemon_.reset();
        // overlays of removed containers are unmounted by the shims; the daemon's own are none
        (void)run({"/bin/sh", "-c", "rm -rf " + base() + "/root " + base() + "/state"});
    }

    void SetUp() override {
        OciTest::SetUp();
        if (HasFatalFailure() || IsSkipped()) return;
        if (access("/usr/bin/containerd", X_OK) != 0)
            GTEST_SKIP() << "SKIPPED in " << place().name
                         << ": needs containerd (scripts/install-deps --test)";
        if (daemon_ == nullptr) start();
        daemon_pid_ = daemon_ != nullptr ? daemon_->pid() : 0;
    }
    void TearDown() override {
        if (daemon_ != nullptr && crictl_there()) {
            crictl().remove_all();
            (void)crictl().run({"rmp", "--all", "--force"});
        }
        for (const std::string& id : started_) {
            (void)ctr({"tasks", "kill", "--signal", "KILL", id});
            (void)ctr({"tasks", "delete", "--force", id});
            (void)ctr({"containers", "delete", id});
        }
        // The shims are ours to reap once their containers are gone; the daemon stays for the next test.
        EXPECT_TRUE(eventually(scaled(10), [] { return only_hidden(); }));
        expect_other_processes_gone();
    }

    static std::string base() { return run_dir() + "/containerd"; }
    static std::string runtime_root() { return state_dir() + "/containerd-root"; }
    static std::string socket() { return state_dir() + "/containerd.sock"; }
    Reply ctr(std::vector<std::string> args, const std::string& space = "orlopit") {
        args.insert(args.begin(), {"/usr/bin/ctr", "--address", socket(), "--namespace", space});
        return run(args);
    }
    Reply ctr_run(std::vector<std::string> flags, const std::vector<std::string>& command) {
        std::vector<std::string> args{"run",       "--runtime",   "io.containerd.runc.v2", "--runc-binary",
                                      place().oci, "--runc-root", runtime_root()};
        if (runtime().driver() == Driver::Systemd) args.push_back("--runc-systemd-cgroup");
        const std::string id = run_mark() + "-ctr" + std::to_string(++number_);
        args.insert(args.end(), {"--cgroup", cgroups_path(id)});
        args.insert(args.end(), flags.begin(), flags.end());
        args.insert(args.end(), {kBusyboxImage, id});
        args.insert(args.end(), command.begin(), command.end());
        started_.push_back(id);
        return ctr(args);
    }
    const std::string& last_id() const { return started_.back(); }
    static bool crictl_there() { return access(place().crictl.c_str(), X_OK) == 0; }
    Crictl crictl() { return Crictl(socket(), base()); }

    // On the host's network: a pod of containerd needs no CNI there.
    Json pod_config(const std::string& name) {
        return {
            {"metadata", {{"name", name}, {"namespace", "it"}, {"uid", name + run_mark()}, {"attempt", 0}}},
            {"log_directory", base() + "/logs"},
            {"linux",
             {{"cgroup_parent",
               runtime().driver() == Driver::Systemd ? "orlopocitest.slice" : "/orlopocitest"},
              {"security_context", {{"namespace_options", {{"network", 2}, {"pid", 1}, {"ipc", 0}}}}}}}};
    }
    static Json container_config(const std::string& name, const std::string& script) {
        return {{"metadata", {{"name", name}, {"attempt", 0}}},
                {"image", {{"image", kBusyboxImage}}},
                {"command", {"/bin/sh", "-c", script}},
                {"log_path", name + ".log"},
                {"linux",
                 {{"resources", {{"memory_limit_in_bytes", 67108864}}},
                  {"security_context", {{"namespace_options", {{"network", 2}, {"pid", 1}, {"ipc", 0}}}}}}}};
    }

  private:
    static bool only_hidden() {
        std::error_code error;
        for (const auto& space : std::filesystem::directory_iterator(runtime_root(), error)) {
            if (!space.is_directory()) return false;
            for (const auto& entry : std::filesystem::directory_iterator(space)) {
                if (!entry.path().filename().string().starts_with(".")) return false;
            }
        }
        return true;
    }
    static void expect_other_processes_gone() {
        std::string found;
        eventually(scaled(10), [&found] {
            found = run({"/bin/sh", "-c",
                         "ps -eo pid,args | grep '[c]ontainerd-shim-runc-v2.*" + run_mark() + "' || true"})
                        .out;
            return found.empty();
        });
        EXPECT_EQ(found, "") << "shims left";
    }
    Status import(const ImageSpec& image) {
        write_text(base() + "/image.tar", TRY(docker_archive(image)));
        for (const char* space : {"orlopit", "k8s.io"}) {
            const Reply reply = ctr({"images", "import", base() + "/image.tar"}, space);
            if (!reply.ok()) return Error::failed("import: " + reply.err);
        }
        return ok();
    }
    void start() {
        for (const char* dir : {"/root", "/state", "/logs"}) ASSERT_TRUE(make_dirs(base() + dir));
        // The shims' sockets are in a directory that cannot be chosen; a node is the test's own anyway.
        if (!place().systemd) {
            ASSERT_TRUE(make_dirs("/run/containerd"));
            ASSERT_EQ(mount("tmpfs", "/run/containerd", "tmpfs", 0, "mode=711"), 0);
        }
        const std::string cri = "plugins.\"io.containerd.grpc.v1.cri\"";
        const std::string cgroups = runtime().driver() == Driver::Systemd ? "true" : "false";
        write_text(base() + "/config.toml",
                   "version = 2\nroot = \"" + base() + "/root\"\nstate = \"" + base() +
                       "/state\"\n[grpc]\naddress = \"" + socket() + "\"\n[" + cri + "]\nsandbox_image = \"" +
                       kPause + "\"\nrestrict_oom_score_adj = true\n[" + cri +
                       ".containerd]\ndefault_runtime_name = \"orlop\"\n[" + cri +
                       ".containerd.runtimes.orlop]\nruntime_type = \"io.containerd.runc.v2\"\n[" + cri +
                       ".containerd.runtimes.orlop.options]\nBinaryName = \"" + place().oci +
                       "\"\nRoot = \"" + runtime_root() + "\"\nSystemdCgroup = " + cgroups + "\n");
        write_text(base() + "/crictl.yaml", "pull-image-on-create: false\ndisable-pull-on-run: true\n");
        daemon_ = std::make_unique<Process>();
        ASSERT_TRUE(
            daemon_->start({"/usr/bin/containerd", "--config", base() + "/config.toml"}, base() + "/log"));
        ASSERT_TRUE(eventually(scaled(20), [this] { return ctr({"version"}).ok(); }))
            << trimmed(*read_file(base() + "/log"));
        ImageSpec pause = busybox_image(place().busybox);
        const Status first = import(pause);
        ASSERT_TRUE(first) << first.error().what();
        pause.name = kPause;
        pause.config["Entrypoint"] = {"/bin/sleep", "1000000"};
        const Status second = import(pause);
        ASSERT_TRUE(second) << second.error().what();
    }

    inline static std::unique_ptr<Process> daemon_;
    pid_t daemon_pid_ = 0;
    int number_ = 0;
    std::vector<std::string> started_;
};

TEST_F(Containerd, CtrRunsToTheEnd) {
    const Reply reply = ctr_run({"--rm"}, {"/bin/sh", "-c", "echo hello; exit 7"});
    EXPECT_EQ(reply.out, "hello\n") << reply.err;
    EXPECT_EQ(reply.code, 7);
    const Reply missing = ctr_run({"--rm"}, {"no-such-program"});
    EXPECT_NE(missing.code, 0);
    EXPECT_NE(missing.err.find("no-such-program"), std::string::npos) << missing.err;
    EXPECT_NE(missing.err.find("not found"), std::string::npos) << missing.err;
}

TEST_F(Containerd, CtrExecKillAndRemove) {
    const Reply started =
        ctr_run({"--detach"}, {"/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"});
    ASSERT_EQ(started.code, 0) << started.err;
    const Reply inside =
        ctr({"tasks", "exec", "--exec-id", "one", last_id(), "/bin/sh", "-c", "echo inside; exit 9"});
    EXPECT_EQ(inside.out, "inside\n") << inside.err;
    EXPECT_EQ(inside.code, 9);
    EXPECT_NE(ctr({"tasks", "exec", "--exec-id", "two", last_id(), "no-such-program"}).code, 0);
    EXPECT_NE(ctr({"tasks", "ps", last_id()}).out.find("PID"), std::string::npos);
    EXPECT_EQ(ctr({"tasks", "pause", last_id()}).code, 0);
    EXPECT_NE(ctr({"tasks", "list"}).out.find("PAUSED"), std::string::npos);
    EXPECT_EQ(ctr({"tasks", "resume", last_id()}).code, 0);
    EXPECT_EQ(ctr({"tasks", "kill", "--signal", "KILL", last_id()}).code, 0);
    EXPECT_TRUE(eventually(scaled(10), [this] {
        return ctr({"tasks", "list"}).out.find("STOPPED") != std::string::npos;
    }));
    (void)ctr({"tasks", "delete", last_id()});
    EXPECT_EQ(ctr({"containers", "delete", last_id()}).code, 0);
    EXPECT_EQ(ctr({"tasks", "list"}).out.find(last_id()), std::string::npos);
}

TEST_F(Containerd, CtrLimitsAndReadOnly) {
    const Reply reply =
        ctr_run({"--rm", "--memory-limit", "67108864", "--read-only"},
                {"/bin/sh", "-c", "touch /x 2>&1; grep -c . /proc/self/mountinfo >/dev/null; echo done"});
    EXPECT_NE(reply.out.find("Read-only"), std::string::npos) << reply.out << reply.err;
    EXPECT_NE(reply.out.find("done"), std::string::npos);
}

TEST_F(Containerd, APodThroughTheCri) {
    ORLOP_IT_NEEDS(Need::Crictl);
    const Json pod = pod_config("pod1");
    const std::string pod_id = crictl().runp(pod);
    ASSERT_NE(pod_id, "") << trimmed(*read_file(base() + "/log")).substr(0, 4000);
    const std::string id = crictl().launch(
        pod_id, container_config("one", "echo logged; trap 'exit 3' TERM; while :; do sleep 0.05; done"),
        pod);
    ASSERT_NE(id, "");
    EXPECT_EQ(crictl().container_status(id)["state"], "CONTAINER_RUNNING");
    const Reply inside = crictl().run({"exec", "--sync", id, "/bin/sh", "-c", "echo inside"});
    EXPECT_EQ(trimmed(inside.out), "inside") << inside.err;
    EXPECT_NE(crictl().run({"exec", "--sync", id, "/bin/sh", "-c", "exit 9"}).code, 0);
    EXPECT_TRUE(
        eventually(scaled(10), [&] { return file_shows(base() + "/logs/one.log", "stdout F logged"); }));
    EXPECT_EQ(crictl().run({"logs", id}).out, "logged\n");
    EXPECT_EQ(crictl().run({"stop", "--timeout", "10", id}).code, 0);
    EXPECT_EQ(crictl().container_status(id)["state"], "CONTAINER_EXITED");
    EXPECT_EQ(crictl().container_status(id)["exitCode"], 3);
    EXPECT_EQ(crictl().run({"rm", id}).code, 0);
    EXPECT_EQ(crictl().run({"stopp", pod_id}).code, 0);
    EXPECT_EQ(crictl().run({"rmp", pod_id}).code, 0);
}

TEST_F(Containerd, AnUpdateThroughTheCriArrives) {
    ORLOP_IT_NEEDS(Need::Crictl);
    const Json pod = pod_config("pod2");
    const std::string pod_id = crictl().runp(pod);
    const std::string id = crictl().launch(
        pod_id, container_config("two", "trap 'exit 0' TERM; while :; do sleep 0.05; done"), pod);
    ASSERT_NE(id, "");
    EXPECT_EQ(crictl().run({"update", "--memory", "50331648", id}).code, 0);
    const std::string seen = crictl()
                                 .run({"exec", "--sync", id, "/bin/sh", "-c",
                                       "cat /sys/fs/cgroup/memory/memory.limit_in_bytes "
                                       "/sys/fs/cgroup/memory.max 2>/dev/null; true"})
                                 .out;
    EXPECT_EQ(trimmed(seen), "50331648");
}

}  // namespace
}  // namespace orlop::it
