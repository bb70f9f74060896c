#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/agent_client.h"
#include "cli/commands.h"
#include "cli/cri_client.h"
#include "cli/http_get.h"
#include "cli/node_view.h"
#include "cli/pod_teardown.h"
#include "cli/test_support.h"

namespace orlop::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FakeHttp;
using test::FakeNode;
using test::TempDir;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

TEST(HttpGet, ReturnsTheBodyOfAGoodAnswer) {
    const TempDir dir;
    const FakeHttp agent(dir / "s", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    const auto body = http_get(dir / "s", "/status", seconds(5));
    ASSERT_TRUE(body) << body.error().what();
    EXPECT_EQ(*body, "hi");
}

TEST(HttpGet, OtherAnswersAreErrorsThatNameThem) {
    const TempDir dir;
    const FakeHttp agent(dir / "s", "HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nno such");
    const auto body = http_get(dir / "s", "/x", seconds(5));
    ASSERT_FALSE(body);
    EXPECT_THAT(body.error().what(), HasSubstr("404 to GET /x: no such"));
}

TEST(HttpGet, NobodyThereIsUnavailable) {
    const TempDir dir;
    const auto body = http_get(dir / "s", "/", seconds(5));
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().kind(), Kind::Unavailable);
    EXPECT_FALSE(http_get(std::string(200, 'x'), "/", seconds(5)));
}

TEST(HttpGet, GivesUpAtItsDeadline) {
    const TempDir dir;
    const FakeHttp agent(dir / "s", "");
    const auto body = http_get(dir / "s", "/", milliseconds(50));
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().kind(), Kind::TimedOut);
}

cri::PodSandboxStatusResponse pod(const std::string& id, const std::string& name) {
    cri::PodSandboxStatusResponse out;
    auto* status = out.mutable_status();
    status->set_id(id);
    status->mutable_metadata()->set_name(name);
    status->mutable_metadata()->set_namespace_("default");
    status->mutable_metadata()->set_uid("uid-" + id);
    status->set_created_at(1);
    (*out.mutable_info())["info"] = R"({"sandboxMetadata":{"netns":"/run/netns/)" + id + R"("}})";
    return out;
}

cri::Container container(const std::string& id, const std::string& pod_id, cri::ContainerState state,
                         const std::string& grace) {
    cri::Container out;
    out.set_id(id);
    out.set_pod_sandbox_id(pod_id);
    out.mutable_metadata()->set_name("name-of-" + id);
    out.set_state(state);
    if (!grace.empty()) (*out.mutable_annotations())["io.kubernetes.pod.terminationGracePeriod"] = grace;
    return out;
}

TEST(PodTeardown, StopsContainersWithTheirGraceThenStopsAndRemovesEveryPodEvenIfOneFails) {
    const TempDir dir;
    FakeNode node(dir / "s");
    node.runtime.have({.pods = {pod("p1", "web"), pod("p2", "db")},
                       .containers = {container("c1", "p1", cri::CONTAINER_RUNNING, "3"),
                                      container("c2", "p2", cri::CONTAINER_RUNNING, ""),
                                      container("c3", "p2", cri::CONTAINER_EXITED, "")},
                       .broken_pod = "p1"});
    const auto client = CriClient::connect("unix://" + (dir / "s"), seconds(5));
    ASSERT_TRUE(client) << client.error().what();
    std::vector<std::string> said;
    const auto done = end_all_pods(*client, [&said](const std::string& line) { said.push_back(line); });
    ASSERT_TRUE(done) << done.error().what();
    EXPECT_EQ(done->pods, 2U);
    EXPECT_THAT(done->uids, ElementsAre("uid-p1", "uid-p2"));
    EXPECT_THAT(done->netns, ElementsAre("/run/netns/p1", "/run/netns/p2"));
    EXPECT_THAT(done->errors, ElementsAre("stop pod default/web: CNI DEL: boom"));
    EXPECT_THAT(said, ElementsAre("stopping 3 containers in 2 pods"));
    auto calls = node.runtime.calls();
    ASSERT_EQ(calls.size(), 6U);
    EXPECT_THAT(std::vector(calls.begin(), calls.begin() + 2),
                UnorderedElementsAre("stop-container c1 3", "stop-container c2 10"));
    EXPECT_THAT(std::vector(calls.begin() + 2, calls.begin() + 4),
                UnorderedElementsAre("stop-pod p1", "stop-pod p2"));
    EXPECT_THAT(std::vector(calls.begin() + 4, calls.end()),
                UnorderedElementsAre("remove-pod p1", "remove-pod p2"));
}

TEST(PodTeardown, GraceComesFromThePodAndIsBounded) {
    struct Row {
        const char* annotation;
        int64_t want;
    };
    const Row rows[] = {{"3", 3}, {"0", 0}, {"", 10}, {"-1", 10}, {"3s", 10}, {"999999", 3600}};
    for (const Row& row : rows)
        EXPECT_EQ(grace_of(container("c", "p", cri::CONTAINER_RUNNING, row.annotation), 10), row.want)
            << row.annotation;
}

TEST(CriClient, EndpointsHaveToBeUnixSockets) {
    const auto client = CriClient::connect("tcp://127.0.0.1:1", seconds(1));
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().kind(), Kind::Invalid);
}

TEST(CriClient, NobodyThereIsUnavailable) {
    const TempDir dir;
    const auto client = CriClient::connect("unix://" + (dir / "s"), milliseconds(50));
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().kind(), Kind::Unavailable);
}

TEST(NodeView, WithoutAnAgentShowsWhatTheRuntimeKnowsAndSaysSo) {
    const TempDir dir;
    FakeNode node(dir / "s");
    node.runtime.have({.pods = {pod("p1", "web")}, .containers = {}});
    const auto view = look_at_node({.node = "orlop", .endpoint = "unix://" + (dir / "s")});
    ASSERT_TRUE(view) << view.error().what();
    const std::string text = node_text(*view, seconds(100));
    EXPECT_THAT(
        text,
        HasSubstr("runtime ready, network NOT ready (NetworkPluginNotReady: no network configuration)"));
    EXPECT_THAT(text, HasSubstr("Versions: CLI " ORLOP_VERSION ", runtime fake 1.2\n"));
    EXPECT_THAT(text, HasSubstr("Note: no agent answers"));
    EXPECT_THAT(text, HasSubstr("default     web    0/0"));
}

TEST(Images, ListRemoveAndImportUseTheEndpoint) {
    const TempDir dir;
    FakeNode node(dir / "s");
    const Common common{.node = "orlop", .endpoint = "unix://" + (dir / "s")};
    testing::internal::CaptureStdout();
    EXPECT_EQ(image_list(common).value_or(9), 0);
    EXPECT_EQ(testing::internal::GetCapturedStdout(),
              "REFERENCE                     IMAGE ID       SIZE\n"
              "docker.io/library/busybox:1   0123456789ab   4.2MB\n");

    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    EXPECT_EQ(image_remove(common, {"nope", "busybox:1"}).value_or(9), 1);
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "removed busybox:1 (0123456789ab)\n");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "orlop: there is no image \"nope\"\n");
    EXPECT_THAT(node.images.removed(), ElementsAre("busybox:1"));

    testing::internal::CaptureStdout();
    ImportOptions import;
    import.rootfs = dir.path();
    import.reference = "busybox:2";
    import.entrypoint = {"/bin/sh", "-c"};
    EXPECT_EQ(image_import(common, import).value_or(9), 0);
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "layer\nimported docker.io/library/busybox:2 ()\n");
    EXPECT_EQ(node.node_images.request().rootfs().path(), dir.path());
    EXPECT_THAT(node.node_images.request().entrypoint(), ElementsAre("/bin/sh", "-c"));

    import.reference = "bad";
    testing::internal::CaptureStdout();
    const auto failed = image_import(common, import);
    testing::internal::GetCapturedStdout();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().what(), "import " + dir.path() + ": malformed reference");
}

TEST(Logs, FollowEndsWhenTheContainerHasEndedAndPrintsAllOfIt) {
    const TempDir dir;
    FakeNode node(dir / "s");
    node.runtime.have({.pods = {pod("p1", "web")},
                       .containers = {container("c1", "p1", cri::CONTAINER_EXITED, "")},
                       .log_path = dir / "0.log"});
    test::write_text(dir / "0.log",
                     "2026-01-02T03:04:05.0Z stdout F one\n2026-01-02T03:04:05.0Z stderr P tw");
    LogsOptions options;
    options.pod = "web";
    options.follow = true;
    testing::internal::CaptureStdout();
    const auto done = logs({.node = "orlop", .endpoint = "unix://" + (dir / "s")}, options);
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "one\ntw\n");
    EXPECT_TRUE(done) << done.error().what();
}

}  // namespace
}  // namespace orlop::cli
