// The commands: create, start, state, list, ps, kill, delete, exec, spec, features.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <map>

#include "base/dir.h"
#include "oci/harness/oci_test.h"

namespace orlop::it {
namespace {

namespace fs = std::filesystem;

class Lifecycle : public OciTest {};

TEST_F(Lifecycle, CreatedThenRunningThenStoppedThenGone) {
    const Bundle b = bundle();
    Json spec = shell_spec("echo started; trap 'exit 3' TERM; while :; do sleep 0.05; done");
    spec["annotations"] = {{"org.example.key", "value"}};
    ASSERT_EQ(create(b, spec).code, 0) << trimmed(*read_file(b.log()));
    Json seen = state(b);
    EXPECT_EQ(seen["status"], "created");
    EXPECT_EQ(seen["id"], b.id);
    EXPECT_EQ(seen["bundle"], b.dir);
    EXPECT_GT(seen["pid"].get<int>(), 0);
    EXPECT_EQ(seen["annotations"]["org.example.key"], "value");
    EXPECT_TRUE(seen["ociVersion"].is_string());
    EXPECT_FALSE(file_shows(b.log(), "started"));
    ASSERT_EQ(oci({"start", b.id}).code, 0);
    ASSERT_TRUE(log_shows(b, "started"));
    EXPECT_EQ(status(b), "running");
    ASSERT_EQ(oci({"kill", b.id, "TERM"}).code, 0);
    ASSERT_TRUE(becomes(b, "stopped"));
    EXPECT_EQ(oci({"delete", b.id}).code, 0);
    expect_nothing_left(b);
}

TEST_F(Lifecycle, RunGivesTheExitCode) {
    for (const int code : {0, 1, 3, 126, 127, 255})
        EXPECT_EQ(run_to_end(shell_spec("exit " + std::to_string(code))).code, code);
    EXPECT_EQ(run_to_end(shell_spec("kill -KILL $$; sleep 1")).code, 0) << "PID 1 cannot kill itself";
}

TEST_F(Lifecycle, RunGivesTheSignalAsShellsDo) {
    Json spec = shell_spec("kill -KILL $$");
    drop_namespace(spec, "pid");
    EXPECT_EQ(run_to_end(spec).code, 137);
}

TEST_F(Lifecycle, RunLeavesNothing) {
    const Bundle b = bundle();
    EXPECT_EQ(run_to_end(b, shell_spec("sleep 1000 & true")).code, 0);
    expect_nothing_left(b);
}

TEST_F(Lifecycle, DetachedRunReturnsAtOnce) {
    const Bundle b = bundle();
    write_config(b, sleeper_spec());
    const Reply reply = runtime().call_logged(
        {"run", "--detach", "--bundle", b.dir, "--pid-file", b.file("pid"), b.id}, b.log());
    ASSERT_EQ(reply.code, 0) << reply.err;
    EXPECT_EQ(status(b), "running");
    EXPECT_EQ(*read_file(b.file("pid")), std::to_string(pid(b)));
}

TEST_F(Lifecycle, RunPassesSignalsOn) {
    const Bundle b = bundle();
    write_config(b, shell_spec("trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.05; done"));
    const auto child = runtime().start({"run", "--bundle", b.dir, b.id}, b.log());
    ASSERT_TRUE(child);
    ASSERT_TRUE(log_shows(b, "ready"));
    ASSERT_EQ(::kill(child->pid, SIGTERM), 0);
    const auto ended = wait_child(*child, scaled(20));
    ASSERT_TRUE(ended);
    EXPECT_EQ(WEXITSTATUS(*ended), 5);
    EXPECT_TRUE(file_shows(b.log(), "got"));
}

TEST_F(Lifecycle, ThePidFileNamesTheProcess) {
    const Bundle b = bundle();
    ASSERT_EQ(create(b, sleeper_spec(), {"--pid-file", b.file("pid")}).code, 0);
    EXPECT_EQ(*read_file(b.file("pid")), std::to_string(pid(b)));
}

TEST_F(Lifecycle, ListTellsWhatThereIs) {
    const Bundle a = launch(sleeper_spec());
    const Bundle b = bundle();
    ASSERT_EQ(create(b, sleeper_spec()).code, 0);
    const Json all = Json::parse(oci({"list", "--format", "json"}).out, nullptr, false);
    ASSERT_TRUE(all.is_array());
    std::map<std::string, std::string> found;
    for (const Json& one : all) found[one["id"]] = one["status"];
    EXPECT_EQ(found, (std::map<std::string, std::string>{{a.id, "running"}, {b.id, "created"}}));
    const std::string quiet = oci({"list", "--quiet"}).out;
    EXPECT_NE(quiet.find(a.id + "\n"), std::string::npos) << quiet;
    const std::string table = oci({"list"}).out;
    EXPECT_NE(table.find("STATUS"), std::string::npos) << table;
    EXPECT_NE(table.find(a.dir), std::string::npos) << table;
}

TEST_F(Lifecycle, PsListsTheProcesses) {
    const Bundle b = launch(sleeper_spec());
    const Json pids = Json::parse(oci({"ps", "--format", "json", b.id}).out, nullptr, false);
    ASSERT_TRUE(pids.is_array());
    EXPECT_NE(std::find(pids.begin(), pids.end(), pid(b)), pids.end()) << pids;
    const std::string table = oci({"ps", b.id}).out;
    EXPECT_NE(table.find("PID"), std::string::npos) << table;
    EXPECT_NE(table.find(std::to_string(pid(b))), std::string::npos) << table;
}

TEST_F(Lifecycle, KillTakesNamesAndNumbers) {
    for (const char* signal : {"SIGUSR1", "USR1", "10"}) {
        const Bundle b = launch(shell_spec("trap 'exit 9' USR1; echo ready; while :; do sleep 0.05; done"));
        ASSERT_TRUE(log_shows(b, "ready"));
        ASSERT_EQ(oci({"kill", b.id, signal}).code, 0) << signal;
        EXPECT_TRUE(becomes(b, "stopped")) << signal;
    }
    ORLOP_OCI_LACKED_BY("crun", "the check of a signal's name");
    const Bundle b = launch(sleeper_spec());
    EXPECT_NE(oci({"kill", b.id, "SIGNOSUCH"}).code, 0);
    EXPECT_EQ(status(b), "running");
}

TEST_F(Lifecycle, KillWithoutASignalIsTerm) {
    const Bundle b =
        launch(shell_spec("trap 'echo term; exit 0' TERM; echo ready; while :; do sleep 0.05; done"));
    ASSERT_TRUE(log_shows(b, "ready"));
    ASSERT_EQ(oci({"kill", b.id}).code, 0);
    EXPECT_TRUE(log_shows(b, "term"));
}

TEST_F(Lifecycle, ACreatedContainerCanBeKilledAndDeleted) {
    const Bundle b = bundle();
    ASSERT_EQ(create(b, sleeper_spec()).code, 0);
    ASSERT_EQ(oci({"kill", b.id, "KILL"}).code, 0);
    ASSERT_TRUE(becomes(b, "stopped"));
    EXPECT_EQ(oci({"delete", b.id}).code, 0);
    expect_nothing_left(b);
}

TEST_F(Lifecycle, DeleteByForceEndsIt) {
    const Bundle b = launch(shell_spec("trap '' TERM; sleep 1000 & while :; do sleep 0.05; done"));
    EXPECT_EQ(oci({"delete", "--force", b.id}).code, 0);
    expect_nothing_left(b);
    EXPECT_EQ(oci({"delete", "--force", b.id}).code, 0) << "what is not there is deleted already";
}

TEST_F(Lifecycle, AProcessWithItsOwnPidNamespaceTakesTheOthersAlong) {
    Json spec = shell_spec("sleep 1000 & echo ready; exit 0");
    drop_namespace(spec, "pid");
    const Bundle b = launch(spec);
    ASSERT_TRUE(becomes(b, "stopped"));
    EXPECT_EQ(oci({"delete", "--force", b.id}).code, 0);
    expect_nothing_left(b);
}

TEST_F(Lifecycle, SpecWritesAConfigThatRuns) {
    const Bundle b = bundle();
    const Reply reply = oci({"spec", "--bundle", b.dir});
    ASSERT_EQ(reply.code, 0) << reply.err;
    Json spec = Json::parse(*read_file(b.file("config.json")), nullptr, false);
    ASSERT_TRUE(spec.is_object());
    spec["process"]["args"] = {"/bin/echo", "from the template"};
    spec["process"]["terminal"] = false;
    EXPECT_EQ(run_to_end(b, spec).out, "from the template\n");
    EXPECT_NE(oci({"spec", "--bundle", b.dir}).code, 0) << "it does not overwrite";
}

TEST_F(Lifecycle, FeaturesAreTheSpecsJson) {
    ORLOP_OCI_LACKED_BY("crun", "features (1.8)");
    const Json features = Json::parse(oci({"features"}).out, nullptr, false);
    ASSERT_TRUE(features.is_object());
    EXPECT_TRUE(features["ociVersionMin"].is_string());
    EXPECT_TRUE(features["ociVersionMax"].is_string());
    const auto holds = [](const Json& list, const char* name) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    EXPECT_TRUE(holds(features["hooks"], "createRuntime"));
    EXPECT_TRUE(holds(features["mountOptions"], "rro"));
    const Json& os = features["linux"];
    EXPECT_TRUE(holds(os["namespaces"], "cgroup"));
    EXPECT_TRUE(holds(os["capabilities"], "CAP_CHOWN"));
    EXPECT_EQ(os["cgroup"]["v1"], true);
    EXPECT_EQ(os["seccomp"]["enabled"], true);
    EXPECT_TRUE(holds(os["seccomp"]["actions"], "SCMP_ACT_NOTIFY"));
    EXPECT_TRUE(holds(os["seccomp"]["operators"], "SCMP_CMP_MASKED_EQ"));
    if (Runtime::kind() != "orlop") return;
    for (const char* type : {"time", "user", "pid"}) EXPECT_TRUE(holds(os["namespaces"], type)) << type;
    EXPECT_EQ(os["mountExtensions"]["idmap"]["enabled"], true);
}

TEST_F(Lifecycle, TheVersionIsTold) {
    const Reply reply = run({place().oci, "--version"});
    EXPECT_EQ(reply.code, 0);
    EXPECT_NE(reply.out.find("spec: 1."), std::string::npos) << reply.out;
}

TEST_F(Lifecycle, TheStateDirectoryIsPrivate) {
    const Bundle b = launch(sleeper_spec());
    struct stat info = {};
    ASSERT_EQ(stat((runtime().root() + "/" + b.id).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 022, 0u);
    EXPECT_EQ(info.st_uid, 0u);
}

TEST_F(Lifecycle, ManyAtOnceDoNotDisturbEachOther) {
    std::vector<Bundle> all;
    std::vector<Child> children;
    for (int i = 0; i < 12; ++i) {
        all.push_back(bundle());
        write_config(all.back(), shell_spec("echo me " + all.back().id));
        auto child = runtime().start({"run", "--bundle", all.back().dir, all.back().id}, all.back().log());
        ASSERT_TRUE(child);
        children.push_back(std::move(*child));
    }
    for (size_t i = 0; i < all.size(); ++i) {
        const auto ended = wait_child(children[i], scaled(30));
        ASSERT_TRUE(ended);
        EXPECT_EQ(*ended, 0) << *read_file(all[i].log());
        EXPECT_EQ(*read_file(all[i].log()), "me " + all[i].id + "\n");
    }
}

}  // namespace
}  // namespace orlop::it
