// hooks: six kinds, in their order and places, with the state on stdin (config.md, "POSIX-platform Hooks").
#include <filesystem>
#include <map>

#include "base/dir.h"
#include "oci/harness/oci_test.h"

namespace orlop::it {
namespace {

class Hooks : public OciTest {
  protected:
    static Json shell(const std::string& script) {
        return {{"path", "/bin/sh"},
                {"args", {"sh", "-c", script}},
                {"env", {"PATH=/usr/bin:/bin", "MARK=from-env"}}};
    }
    // Writes its name and its stdin where both the host and the container reach it.
    static Json recorder(const std::string& dir, const std::string& name) {
        return shell("echo " + name + " >>" + dir + "/order; cat >" + dir + "/" + name +
                     ".json; echo $MARK >" + dir + "/" + name + ".env; readlink /proc/self/ns/mnt >" + dir +
                     "/" + name + ".ns");
    }
    static std::string content(const std::string& path) {
        const auto text = read_file(path);
        return text ? trimmed(*text) : "";
    }
};

TEST_F(Hooks, RunInTheirOrderWithTheState) {
    const Bundle b = bundle();
    const std::string dir = b.file("shared");
    ASSERT_TRUE(make_dirs(dir));
    // runc 1.1 and crun 1.8 run startContainer after poststart, and tell other states.
    ORLOP_OCI_LACKED_BY("runc", "the order and the states of the specification's 1.2");
    ORLOP_OCI_LACKED_BY("crun", "the order and the states of the specification's 1.2");
    Json spec = sleeper_spec();
    spec["annotations"] = {{"org.example", "told"}};
    add_mount(spec, "bind", dir, "/shared", {"bind", "rw"});
    for (const char* name :
         {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"})
        spec["hooks"][name] = {recorder(name == std::string("startContainer") ? "/shared" : dir, name)};
    ASSERT_EQ(create(b, spec).code, 0) << content(b.log());
    EXPECT_EQ(content(dir + "/order"), "prestart\ncreateRuntime\ncreateContainer");
    const pid_t process = pid(b);
    ASSERT_EQ(oci({"start", b.id}).code, 0) << content(b.log());
    // startContainer may still be running when start returns, poststart not.
    EXPECT_TRUE(eventually(scaled(10), [&] {
        return file_shows(dir + "/order", "startContainer") && file_shows(dir + "/order", "poststart");
    }));
    ASSERT_EQ(oci({"delete", "--force", b.id}).code, 0);
    EXPECT_EQ(content(dir + "/order"),
              "prestart\ncreateRuntime\ncreateContainer\nstartContainer\npoststart\npoststop");
    const std::map<std::string, std::string> statuses = {
        {"prestart", "creating"},      {"createRuntime", "creating"}, {"createContainer", "creating"},
        {"startContainer", "created"}, {"poststart", "running"},      {"poststop", "stopped"}};
    for (const auto& [name, status] : statuses) {
        const Json told = Json::parse(content(dir + "/" + name + ".json"), nullptr, false);
        ASSERT_TRUE(told.is_object()) << name;
        EXPECT_EQ(told["id"], b.id) << name;
        EXPECT_EQ(told["bundle"], b.dir) << name;
        EXPECT_EQ(told["annotations"]["org.example"], "told") << name;
        EXPECT_TRUE(told["status"] == status) << name << told;
        EXPECT_TRUE(name == "poststop" || told["pid"] == process || told["pid"] == 1 ||
                    Runtime::kind() != "orlop")
            << name << told;
        EXPECT_EQ(content(dir + "/" + name + ".env"), "from-env") << name;
    }
    const std::string host = std::filesystem::read_symlink("/proc/self/ns/mnt");
    for (const char* name : {"prestart", "createRuntime", "poststart", "poststop"})
        EXPECT_EQ(content(dir + "/" + name + ".ns"), host) << name;
    for (const char* name : {"createContainer", "startContainer"})
        EXPECT_NE(content(dir + "/" + name + ".ns"), host) << name;
}

TEST_F(Hooks, SeveralOfAKindRunInTheListsOrder) {
    const Bundle b = bundle();
    Json spec = shell_spec("true");
    spec["hooks"]["createRuntime"] = {shell("echo 1 >>" + b.file("order")),
                                      shell("echo 2 >>" + b.file("order")),
                                      shell("echo 3 >>" + b.file("order"))};
    EXPECT_EQ(run_to_end(b, spec).code, 0);
    EXPECT_EQ(content(b.file("order")), "1\n2\n3");
}

class FailingHooks : public Hooks, public ::testing::WithParamInterface<const char*> {};

TEST_P(FailingHooks, TearEverythingDown) {
    const Bundle b = bundle();
    Json spec = shell_spec("echo ran");
    Json bad = shell("echo the reason >&2; exit 3");
    spec["hooks"][GetParam()] = {bad};
    const Reply reply = run_to_end(b, spec);
    EXPECT_NE(reply.code, 0);
    EXPECT_EQ(reply.out.find("ran"), std::string::npos);
    EXPECT_NE(reply.err, "");
    expect_nothing_left(b);
}

INSTANTIATE_TEST_SUITE_P(, FailingHooks,
                         ::testing::Values("prestart", "createRuntime", "createContainer", "startContainer"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_F(Hooks, ATimeoutKills) {
    const Bundle b = bundle();
    Json spec = shell_spec("echo ran");
    Json slow = shell("exec sleep 1000");
    slow["timeout"] = 1;
    spec["hooks"]["createRuntime"] = {slow};
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_NE(run_to_end(b, spec).code, 0);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, scaled(20));
    expect_nothing_left(b);
}

TEST_F(Hooks, AFailingPoststopDoesNotKeepTheContainer) {
    const Bundle b = bundle();
    Json spec = shell_spec("true");
    spec["hooks"]["poststop"] = {shell("exit 3"), shell("echo after >" + b.file("after"))};
    (void)run_to_end(b, spec);
    expect_nothing_left(b);
}

TEST_F(Hooks, AHookThatIsNotThereIsRefused) {
    const Bundle b = bundle();
    Json spec = shell_spec("true");
    spec["hooks"]["createRuntime"] = {{{"path", "/no/such/hook"}}};
    const Reply reply = run_to_end(b, spec);
    EXPECT_NE(reply.code, 0);
    EXPECT_NE(reply.err.find("/no/such/hook"), std::string::npos) << reply.err;
    expect_nothing_left(b);
}

TEST_F(Hooks, CreateContainerSeesTheRootBeforeThePivot) {
    const Bundle b = bundle();
    Json spec = shell_spec("cat /from-hook");
    spec["hooks"]["createContainer"] = {shell("echo made >" + b.rootfs + "/from-hook")};
    EXPECT_EQ(run_to_end(b, spec).out, "made\n");
}

}  // namespace
}  // namespace orlop::it
