#include "runtime/oci/record.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace orlop::oci {
namespace {

Record sample() {
    return {.version = "1.1.0",
            .id = "web",
            .pid = 42,
            .pid_start = 987654321012,
            .bundle = "/b",
            .rootfs = "/b/rootfs",
            .created = "2026-01-02T03:04:05.000000006Z",
            .annotations = {{"org.example/a", "1"}},
            .cgroup = {.path = "/orlop/web", .unit = ""},
            .own_pid_namespace = false};
}

TEST(Record, ComesBackFromItsJson) {
    auto back = record_from_json(to_json(sample()));
    ASSERT_TRUE(back) << back.error().what();
    EXPECT_EQ(back->pid, 0);
    ASSERT_TRUE(set_process(*back, process_line(sample())));
    EXPECT_EQ(*back, sample());
    EXPECT_EQ(back->pid_start, 987654321012u);
    EXPECT_FALSE(back->own_pid_namespace);
}

TEST(Record, RefusesWhatIsNoneWithoutThrowing) {
    for (const char* bad : {"", "{}", "[]", "{\"id\":3}", "null"}) EXPECT_FALSE(record_from_json(bad)) << bad;
}

TEST(Record, TakesNoHalfLineForAProcess) {
    Record record;
    for (const char* bad : {"", "42", "42 ", "42 7", "x 7\n", "-1 7\n", "0 7\n"}) {
        EXPECT_FALSE(set_process(record, bad)) << bad;
    }
}

TEST(StateForHooks, HasTheSpecificationsFieldsOnly) {
    const auto json = nlohmann::json::parse(state_for_hooks(sample(), State::Creating));
    const nlohmann::json expected = {
        {"ociVersion", "1.1.0"}, {"id", "web"},    {"pid", 42},
        {"status", "creating"},  {"bundle", "/b"}, {"annotations", {{"org.example/a", "1"}}}};
    EXPECT_EQ(json, expected);
}

TEST(StateForPeople, HasRuncsFieldsToo) {
    const auto json = nlohmann::json::parse(state_for_people(sample(), State::Running, "root", 2));
    EXPECT_EQ(json["rootfs"], "/b/rootfs");
    EXPECT_EQ(json["created"], "2026-01-02T03:04:05.000000006Z");
    EXPECT_EQ(json["owner"], "root");
    EXPECT_EQ(json["pid"], 42);
}

TEST(StateForPeople, TellsNoPidOfAStoppedContainer) {
    const auto json = nlohmann::json::parse(state_for_people(sample(), State::Stopped, "", -1));
    EXPECT_EQ(json["pid"], 0);
    EXPECT_EQ(json["status"], "stopped");
}

TEST(StateForPeople, BearsAnnotationsThatAreNoUtf8) {
    Record record = sample();
    record.annotations["x"] = "\xff\xfe";
    EXPECT_TRUE(nlohmann::json::accept(state_for_people(record, State::Running, "", -1)));
}

}  // namespace
}  // namespace orlop::oci
