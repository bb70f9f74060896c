#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command_line.h"
#include "cli/cri_rows.h"
#include "cli/image_table.h"
#include "cli/import_progress.h"
#include "cli/manifests.h"
#include "cli/node_view.h"
#include "cli/progress.h"

namespace orlop::cli {
namespace {

namespace cri = ::runtime::v1;
using testing::ElementsAre;
using testing::HasSubstr;

PodRow row(const std::string& name, const std::string& status, bool settled, const std::string& why = "") {
    PodRow out;
    out.ns = "default";
    out.name = name;
    out.status = status;
    out.settled = settled;
    out.why = why;
    out.ready = settled ? 1 : 0;
    out.total = 1;
    return out;
}

TEST(Progress, PlainOutputSaysOnlyWhatIsNew) {
    EXPECT_THAT(changed_lines({"a", "b"}, {"a", "c", "b"}), ElementsAre("c"));
    EXPECT_THAT(changed_lines({}, {"a"}), ElementsAre("a"));
}

TEST(Progress, TerminalsGetTheBlockDrawnOverAndLinesCut) {
    EXPECT_EQ(redraw(0, {"abc"}, 80), "\r\x1b[Jabc\n");
    EXPECT_EQ(redraw(2, {"abcdef", "\x1b[2J"}, 3), "\x1b[2A\r\x1b[Jabc\n?[2\n");
}

TEST(Progress, WaitingIsOverWhenEveryPodOfEveryManifestIsReady) {
    Waiting w;
    EXPECT_TRUE(w.done()) << "nothing to wait for";
    w.rows = {row("web", "Running", true)};
    EXPECT_TRUE(w.done());
    w.missing = {{"a.yaml", "default", "db"}};
    EXPECT_FALSE(w.done());
    w.missing.clear();
    w.errors = {{"b.yaml", "line 3: no name"}};
    EXPECT_FALSE(w.done());
    EXPECT_FALSE(w.hopeless()) << "the file may be mended";
    w.errors.clear();
    w.rows.push_back(row("job", "Error", false));
    EXPECT_FALSE(w.hopeless());
    w.rows.back().failed = true;
    EXPECT_TRUE(w.hopeless());
}

TEST(Progress, SaysWhatIsNotReadyAndWhy) {
    Waiting w;
    w.rows = {row("ok", "Running", true), row("web", "ErrImageNeverPull", false, "container a: no image"),
              row("db", "Pending", false)};
    w.missing = {{"a.yaml", "default", "new"}};
    w.errors = {{"b.yaml", "line 3: no name"}};
    EXPECT_THAT(waiting_lines(w), ElementsAre("ok       default/ok  1/1  Running",
                                              "waiting  default/web  0/1  ErrImageNeverPull",
                                              "waiting  default/db  0/1  Pending",
                                              "waiting  default/new  in a.yaml, not taken over yet",
                                              "error    b.yaml  line 3: no name"));
    EXPECT_THAT(
        not_ready_lines(w),
        ElementsAre("default/web is not Ready: container a: no image", "default/db is not Ready: Pending",
                    "default/new: the agent has not taken over a.yaml", "b.yaml: line 3: no name"));
}

TEST(Manifests, NamesOfAllPodsOfAFile) {
    const auto pods =
        wanted_pods("a.yaml",
                    "kind: Pod\nmetadata: {name: a}\n---\nkind: Pod\nmetadata: {name: b, namespace: x}\n"
                    "---\nkind: Service\nmetadata: {name: c}\n");
    ASSERT_EQ(pods.size(), 2U);
    EXPECT_EQ(pods[0].ns + "/" + pods[0].name, "default/a");
    EXPECT_EQ(pods[1].ns + "/" + pods[1].name, "x/b");
    EXPECT_TRUE(wanted_pods("a.yaml", "kind: [").empty());
    EXPECT_EQ(wanted_pods("a.json", R"({"kind":"Pod","metadata":{"name":"j"}})").size(), 1U);
}

TEST(Manifests, AStaticPodIsSeenUnderItsNameWithTheNode) {
    const std::vector<WantedPod> wanted = {
        {"f", "default", "web"}, {"f", "other", "web"}, {"f", "default", "db"}};
    AgentStatus agent;
    agent.node = "n1";
    const auto missing = not_seen(wanted, {row("web-n1", "", true), row("db-n2", "", true)}, agent);
    ASSERT_EQ(missing.size(), 2U);
    EXPECT_EQ(missing[0].ns, "other");
    EXPECT_EQ(missing[1].name, "db");
    agent.manifest_errors = {{"f", "no name"}};
    EXPECT_TRUE(not_seen(wanted, {}, agent).empty());
}

cri::PodSandboxStatusResponse sandbox(uint32_t attempt, cri::PodSandboxState state) {
    cri::PodSandboxStatusResponse out;
    auto* pod = out.mutable_status();
    pod->mutable_metadata()->set_name("web");
    pod->mutable_metadata()->set_namespace_("default");
    pod->mutable_metadata()->set_uid("u");
    pod->mutable_metadata()->set_attempt(attempt);
    pod->set_state(state);
    pod->mutable_network()->set_ip("10.0.0." + std::to_string(attempt));
    return out;
}

void add(cri::PodSandboxStatusResponse& to, uint32_t attempt, cri::ContainerState state, int exit_code = 0,
         const char* reason = "") {
    auto* c = to.add_containers_statuses();
    c->mutable_metadata()->set_name("a");
    c->mutable_metadata()->set_attempt(attempt);
    c->set_state(state);
    c->set_exit_code(exit_code);
    c->set_reason(reason);
}

TEST(CriRows, LatestAttemptsCount) {
    auto old = sandbox(0, cri::SANDBOX_NOTREADY);
    auto now = sandbox(1, cri::SANDBOX_READY);
    add(now, 0, cri::CONTAINER_EXITED, 1);
    add(now, 1, cri::CONTAINER_RUNNING);
    const auto rows = rows_of_sandboxes({now, old});
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].ip, "10.0.0.1");
    EXPECT_EQ(rows[0].restarts, 1);
    EXPECT_EQ(rows[0].status, "Running");
    EXPECT_TRUE(rows[0].settled);
}

TEST(CriRows, StatusOfContainersThatDoNotRun) {
    struct Row {
        cri::ContainerState state;
        int exit_code;
        const char* reason;
        const char* want;
    };
    const Row rows[] = {{cri::CONTAINER_EXITED, 0, "", "Completed"},
                        {cri::CONTAINER_EXITED, 1, "", "Error"},
                        {cri::CONTAINER_EXITED, 137, "OOMKilled", "OOMKilled"},
                        {cri::CONTAINER_CREATED, 0, "", "Created"},
                        {cri::CONTAINER_UNKNOWN, 0, "", "Unknown"}};
    for (const Row& r : rows) {
        auto pod = sandbox(0, cri::SANDBOX_READY);
        add(pod, 0, r.state, r.exit_code, r.reason);
        EXPECT_EQ(rows_of_sandboxes({pod})[0].status, r.want);
    }
    EXPECT_EQ(rows_of_sandboxes({sandbox(0, cri::SANDBOX_NOTREADY)})[0].status, "NotReady");
}

TEST(NodeView, ShowsConditionsPodsAndManifestErrors) {
    NodeView view;
    view.name = "n1";
    auto agent = parse_agent_status(R"({
        "nodeName": "n1", "version": "0.1.0",
        "runtime": {"ready": true, "reason": "", "message": ""},
        "network": {"ready": false, "reason": "NetworkPluginNotReady", "message": "no configuration in /c"},
        "manifestErrors": [{"file": "b.yaml", "message": "line 3: no name"}], "warnings": ["x is not built"]})");
    ASSERT_TRUE(agent) << agent.error().what();
    view.agent = *agent;
    view.conditions = agent->conditions;
    view.runtime_version = "orlop 0.1.0";
    EXPECT_EQ(node_text(view, Nanos(0)),
              "Node n1: runtime ready, network NOT ready (NetworkPluginNotReady: no configuration in /c)\n"
              "Versions: CLI " ORLOP_VERSION
              ", runtime orlop 0.1.0, agent 0.1.0\n"
              "Warning: x is not built\n"
              "\n"
              "No pods.\n"
              "\n"
              "Manifests with errors:\n"
              "  b.yaml: line 3: no name\n");
    const auto json = nlohmann::json::parse(node_json(view, Nanos(0)));
    EXPECT_EQ(json["node"], "n1");
    EXPECT_EQ(json["conditions"][1]["status"], false);
    EXPECT_EQ(json["manifestErrors"][0]["file"], "b.yaml");
    EXPECT_FALSE(parse_agent_status("[]"));
}

TEST(ImportProgress, LayersHaveBarsOnATerminalAndALineElsewhere) {
    orlop::v1::ImportProgress p;
    p.set_stage("layer");
    p.set_done_bytes(500);
    p.set_total_bytes(1000);
    ImportProgressLines bars(true);
    EXPECT_THAT(bars.after(p), ElementsAre("layer  [###############...............]  500B of 1.0kB"));
    p.set_layer("sha256:abc");
    p.set_done_bytes(1000);
    EXPECT_THAT(bars.after(p), ElementsAre("layer abc  [##############################]  1.0kB of 1.0kB"));
    ImportProgressLines plain(false);
    EXPECT_THAT(plain.after(p), ElementsAre("layer abc"));
}

TEST(ImageTable, AnImageWithoutNamesIsShown) {
    cri::ListImagesResponse images;
    images.add_images()->set_id("sha256:0123456789abcdef");
    EXPECT_THAT(images_table(images), HasSubstr("<none>      0123456789ab   0B"));
    EXPECT_EQ(nlohmann::json::parse(images_json(images))[0]["id"], "sha256:0123456789abcdef");
}

TEST(CommandLine, BadInputIsOneLineThatNamesIt) {
    struct Row {
        std::vector<const char*> argv;
        const char* part;
    };
    const Row rows[] = {
        {{"orlop"}, "say what to do"},
        {{"orlop", "--foo"}, "--foo"},
        {{"orlop", "image", "--foo"}, "--foo"},
        {{"orlop", "image"}, "orlop image --help"},
        {{"orlop", "up", "--foo"}, "--foo"},
        {{"orlop", "up", "--wait", "x"}, "--wait"},
        {{"orlop", "up", "--name", "../x"}, "no name for a node"},
        {{"orlop", "down", "--purge"}, "--purge"},
        {{"orlop", "down", "--name", "n", "--purge", "--keep-pods"}, "--keep-pods"},
        {{"orlop", "logs"}, "POD"},
        {{"orlop", "image", "import"}, "name a FILE"},
        {{"orlop", "image", "import", "f", "--rootfs", "d"}, "--rootfs"},
        {{"orlop", "image", "import", "f", "--env", "A=b"}, "--rootfs"},
        {{"orlop", "image", "import", "--rootfs", "d"}, "--name"},
        {{"orlop", "status", "-o", "xml"}, "xml"},
    };
    for (const Row& r : rows) {
        const auto line = parse_command_line(static_cast<int>(r.argv.size()), r.argv.data());
        ASSERT_FALSE(line) << r.part;
        EXPECT_EQ(line.error().kind(), Kind::Invalid);
        EXPECT_THAT(line.error().what(), HasSubstr(r.part));
        EXPECT_EQ(line.error().what().find('\n'), std::string::npos);
    }
}

TEST(CommandLine, HelpAndVersionAreOutputWithoutACommand) {
    for (std::vector<const char*> argv : {std::vector<const char*>{"orlop", "--version"},
                                          {"orlop", "up", "--help"},
                                          {"orlop", "image", "import", "--help"}}) {
        const auto line = parse_command_line(static_cast<int>(argv.size()), argv.data());
        ASSERT_TRUE(line) << line.error().what();
        EXPECT_FALSE(line->command);
        EXPECT_FALSE(line->output.empty());
    }
}

}  // namespace
}  // namespace orlop::cli
