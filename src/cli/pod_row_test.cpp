#include "cli/pod_row.h"

#include <gtest/gtest.h>

namespace orlop::cli {
namespace {

using Json = nlohmann::json;

constexpr const char* kReady = R"([{"type":"Initialized","status":"True"},{"type":"Ready","status":"True"}])";
constexpr const char* kNotReady = R"([{"type":"Ready","status":"False"}])";

// A pod of the given status with one init container, one sidecar or none, and two app containers.
Json pod(const std::string& spec, const std::string& status, const std::string& metadata = "{}") {
    Json out = {
        {"metadata", Json::parse(metadata)}, {"spec", Json::parse(spec)}, {"status", Json::parse(status)}};
    out["metadata"]["name"] = "web";
    out["metadata"]["namespace"] = "default";
    return out;
}

constexpr const char* kTwo = R"({"containers":[{"name":"a"},{"name":"b"}]})";
constexpr const char* kInit = R"({"initContainers":[{"name":"i"}],"containers":[{"name":"a"}]})";
constexpr const char* kSidecar =
    R"({"initContainers":[{"name":"s","restartPolicy":"Always"}],"containers":[{"name":"a"}]})";

std::string running(const char* name, bool ready = true) {
    return std::string(R"({"name":")") + name + R"(","restartCount":0,"started":true,"ready":)" +
           (ready ? "true" : "false") + R"(,"state":{"running":{"startedAt":"2026-01-02T03:04:05Z"}}})";
}
std::string waiting(const char* reason) {
    return std::string(R"({"name":"a","restartCount":2,"ready":false,"state":{"waiting":{"reason":")") +
           reason +
           R"(","message":"because"}},"lastState":{"terminated":{"exitCode":1,"finishedAt":"2026-01-02T03:04:05Z"}}})";
}
std::string ended(const std::string& terminated) {
    return R"({"name":"a","restartCount":0,"ready":false,"state":{"terminated":)" + terminated + "}}";
}
std::string status(const std::string& phase, const std::string& conditions, const std::string& containers,
                   const std::string& init = "") {
    return R"({"phase":")" + phase + R"(","conditions":)" + conditions + R"(,"containerStatuses":[)" +
           containers + R"(],"initContainerStatuses":[)" + init + "]}";
}

TEST(PodRow, StatusAndReadyAreThoseOfKubectl) {
    struct Row {
        const char* what;
        Json pod;
        const char* status;
        int ready;
        int total;
        bool settled;
    };
    const std::string both = running("a") + "," + running("b");
    const Row rows[] = {
        {"no status yet", pod(kTwo, "{}"), "Pending", 0, 2, false},
        {"running", pod(kTwo, status("Running", kReady, both)), "Running", 2, 2, true},
        {"one not ready", pod(kTwo, status("Running", kNotReady, running("a", false) + "," + running("b"))),
         "Running", 1, 2, false},
        {"waiting", pod(kTwo, status("Pending", kNotReady, waiting("ErrImageNeverPull"))),
         "ErrImageNeverPull", 0, 2, false},
        {"back-off",
         pod(kTwo, status("Running", kNotReady, waiting("CrashLoopBackOff") + "," + running("b"))),
         "CrashLoopBackOff", 1, 2, false},
        {"done", pod(kTwo, status("Succeeded", kNotReady, ended(R"({"exitCode":0,"reason":"Completed"})"))),
         "Completed", 0, 2, true},
        {"failed", pod(kTwo, status("Failed", kNotReady, ended(R"({"exitCode":137,"reason":"OOMKilled"})"))),
         "OOMKilled", 0, 2, false},
        {"exit code only", pod(kTwo, status("Failed", kNotReady, ended(R"({"exitCode":3})"))), "ExitCode:3",
         0, 2, false},
        {"signal only", pod(kTwo, status("Failed", kNotReady, ended(R"({"exitCode":137,"signal":9})"))),
         "Signal:9", 0, 2, false},
        {"one of two completed",
         pod(kTwo, status("Running", kNotReady,
                          ended(R"({"exitCode":0,"reason":"Completed"})") + "," + running("b"))),
         "NotReady", 1, 2, false},
        {"init runs", pod(kInit, status("Pending", kNotReady, "", running("i", false))), "Init:0/1", 0, 1,
         false},
        {"init waits", pod(kInit, status("Pending", kNotReady, "", waiting("ErrImagePull"))),
         "Init:ErrImagePull", 0, 1, false},
        {"init fails",
         pod(kInit, status("Pending", kNotReady, "", ended(R"({"exitCode":1,"reason":"Error"})"))),
         "Init:Error", 0, 1, false},
        {"init done", pod(kInit, status("Running", kReady, running("a"), ended(R"({"exitCode":0})"))),
         "Running", 1, 1, true},
        {"sidecar", pod(kSidecar, status("Running", kReady, running("a"), running("s"))), "Running", 2, 2,
         true},
        {"deleted",
         pod(kTwo, status("Running", kReady, both), R"({"deletionTimestamp":"2026-01-02T03:04:05Z"})"),
         "Terminating", 2, 2, false},
        {"evicted", pod(kTwo, R"({"phase":"Failed","reason":"Evicted","message":"low on memory"})"),
         "Evicted", 0, 2, false},
    };
    for (const Row& row : rows) {
        const PodRow got = row_of_pod(row.pod);
        EXPECT_EQ(got.status, row.status) << row.what;
        EXPECT_EQ(got.ready, row.ready) << row.what;
        EXPECT_EQ(got.total, row.total) << row.what;
        EXPECT_EQ(got.settled, row.settled) << row.what;
    }
}

TEST(PodRow, SaysWhichContainerKeepsThePodFromBeingReady) {
    const PodRow row = row_of_pod(pod(kTwo, status("Pending", kNotReady, waiting("ErrImageNeverPull"))));
    EXPECT_EQ(row.why, "container a: ErrImageNeverPull: because");
    const PodRow crashed =
        row_of_pod(pod(kTwo, status("Failed", kNotReady,
                                    ended(R"({"exitCode":128,"reason":"StartError","message":"no /x"})"))));
    EXPECT_EQ(crashed.why, "container a: StartError: no /x");
    EXPECT_TRUE(crashed.failed);
    const PodRow network = row_of_pod(pod(
        kTwo,
        R"({"phase":"Pending","conditions":[{"type":"Ready","status":"False","reason":"NetworkNotReady","message":"no CNI"}]})"));
    EXPECT_EQ(network.why, "Ready: NetworkNotReady: no CNI");
}

TEST(PodRow, TableShowsRestartsWithTheirAge) {
    auto rows = rows_of_pod_list(Json({{"items",
                                        {pod(kTwo, status("Running", kNotReady, waiting("CrashLoopBackOff")),
                                             R"({"creationTimestamp":"2026-01-02T03:00:05Z"})")}}})
                                     .dump());
    ASSERT_TRUE(rows);
    const Nanos now = *parse_time("2026-01-02T03:09:05.5Z");
    EXPECT_EQ(pods_table(*rows, now),
              "NAMESPACE   NAME   READY   STATUS             RESTARTS     AGE   IP\n"
              "default     web    0/2     CrashLoopBackOff   2 (5m ago)   9m    <none>\n");
    EXPECT_EQ(pods_json(*rows, now)[0]["ageSeconds"], 540);
}

TEST(PodRow, AnswersThatAreNoPodListAreRefused) {
    EXPECT_FALSE(rows_of_pod_list("<html>"));
    EXPECT_FALSE(rows_of_pod_list("[]"));
    EXPECT_FALSE(rows_of_pod_list(R"({"items":null})"));
    EXPECT_TRUE(rows_of_pod_list(R"({"items":[]})"));
}

TEST(PodRow, TimesAreReadWithAndWithoutFractions) {
    EXPECT_EQ(parse_time("1970-01-01T00:01:00Z"), std::chrono::seconds(60));
    EXPECT_EQ(parse_time("1970-01-01T00:00:00.25Z"), std::chrono::milliseconds(250));
    EXPECT_FALSE(parse_time(""));
    EXPECT_FALSE(parse_time("1970-01-01"));
    EXPECT_FALSE(parse_time("1970-01-01T00:00:00+01:00"));
}

}  // namespace
}  // namespace orlop::cli
