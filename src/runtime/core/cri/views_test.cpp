#include "runtime/core/cri/views.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "runtime/core/cri/handlers.h"
#include "runtime/core/cri/sandbox_files.h"

namespace orlop::core {
namespace {

ContainerRecord container() {
    ContainerRecord r;
    r.id = "abc1";
    r.sandbox = "def2";
    r.phase = ContainerPhase::Running;
    (*r.config.mutable_labels())["app"] = "web";
    (*r.config.mutable_labels())["tier"] = "front";
    return r;
}

TEST(Filters, OfContainersAreAnded) {
    struct Row {
        const char* name;
        std::function<void(cri::ContainerFilter&)> set;
        bool matches;
    };
    const Row rows[] = {
        {"nothing", [](auto&) {}, true},
        {"short id", [](auto& f) { f.set_id("abc"); }, true},
        {"another id", [](auto& f) { f.set_id("abd"); }, false},
        {"state", [](auto& f) { f.mutable_state()->set_state(cri::CONTAINER_RUNNING); }, true},
        {"state zero is a state", [](auto& f) { f.mutable_state()->set_state(cri::CONTAINER_CREATED); },
         false},
        {"sandbox", [](auto& f) { f.set_pod_sandbox_id("def2"); }, true},
        {"another sandbox", [](auto& f) { f.set_pod_sandbox_id("x"); }, false},
        {"labels", [](auto& f) { (*f.mutable_label_selector())["app"] = "web"; }, true},
        {"a label's value", [](auto& f) { (*f.mutable_label_selector())["app"] = "db"; }, false},
        {"a missing label", [](auto& f) { (*f.mutable_label_selector())["none"] = ""; }, false},
        {"id but not sandbox",
         [](auto& f) {
             f.set_id("abc1");
             f.set_pod_sandbox_id("x");
         },
         false},
    };
    for (const Row& row : rows) {
        cri::ContainerFilter filter;
        row.set(filter);
        EXPECT_EQ(matches(filter, container()), row.matches) << row.name;
    }
}

TEST(Filters, OfSandboxesKnowNotReady) {
    SandboxRecord r;
    r.phase = SandboxPhase::NotReady;
    cri::PodSandboxFilter filter;
    filter.mutable_state()->set_state(cri::SANDBOX_READY);
    EXPECT_FALSE(matches(filter, r));
    filter.mutable_state()->set_state(cri::SANDBOX_NOTREADY);
    EXPECT_TRUE(matches(filter, r));
}

TEST(Views, TheFirstAddressIsThePrimaryOne) {
    SandboxRecord r;
    r.ips = {"10.1.0.2", "fd00::2"};
    const auto status = status_of(r);
    EXPECT_EQ(status.network().ip(), "10.1.0.2");
    ASSERT_EQ(status.network().additional_ips_size(), 1);
    EXPECT_EQ(status.network().additional_ips(0).ip(), "fd00::2");
}

TEST(Views, AContainerThatNeverStartedHasNoUser) {
    ContainerRecord r = container();
    EXPECT_FALSE(status_of(r).has_user());
    r.started_at = 1;
    r.uid = 1000;
    EXPECT_EQ(status_of(r).user().linux().uid(), 1000);
}

TEST(Views, AStartingContainerIsStillCreated) {
    ContainerRecord r = container();
    r.phase = ContainerPhase::Starting;
    EXPECT_EQ(state_of(r), cri::CONTAINER_CREATED);
}

TEST(Views, SignalsHaveTheCrisOwnNumbers) {
    EXPECT_EQ(cri_signal(SIGTERM), cri::SIGNAL_SIGTERM);
    EXPECT_EQ(cri_signal(SIGQUIT), cri::SIGNAL_SIGQUIT);
    EXPECT_EQ(cri_signal(34), cri::SIGNAL_SIGRTMIN);
    EXPECT_EQ(cri_signal(37), cri::SIGNAL_SIGRTMINPLUS3);
    EXPECT_EQ(cri_signal(50), cri::SIGNAL_SIGRTMAXMINUS14);
    EXPECT_EQ(cri_signal(64), cri::SIGNAL_SIGRTMAX);
    EXPECT_EQ(cri_signal(0), cri::SIGNAL_RUNTIME_DEFAULT);
}

TEST(Views, AnImagesUserIsANumberOrAName) {
    images::Image image;
    image.config.user = "1000:100";
    EXPECT_EQ(item_of(image).uid().value(), 1000);
    image.config.user = "www:www";
    EXPECT_FALSE(item_of(image).has_uid());
    EXPECT_EQ(item_of(image).username(), "www");
    image.config.user = "";
    EXPECT_FALSE(item_of(image).has_uid());
    EXPECT_EQ(item_of(image).username(), "");
}

TEST(LogPath, IsBelowTheLogDirectoryOrRefused) {
    struct Row {
        const char *directory, *path;
        const char* whole;  // null = refused
    };
    const Row rows[] = {{"/var/log/pods/x", "c/0.log", "/var/log/pods/x/c/0.log"},
                        {"/var/log/pods/x/", "c/0.log", "/var/log/pods/x/c/0.log"},
                        {"", "c/0.log", ""},
                        {"/var/log/pods/x", "", ""},
                        {"/var/log/pods/x", "/etc/shadow", nullptr},
                        {"/var/log/pods/x", "../y/0.log", nullptr},
                        {"/var/log/pods/x", "a/..", nullptr},
                        {"/var/log/../x", "0.log", nullptr},
                        {"/var/log", "a..b/c...log", "/var/log/a..b/c...log"}};
    for (const Row& row : rows) {
        cri::PodSandboxConfig sandbox;
        sandbox.set_log_directory(row.directory);
        cri::ContainerConfig config;
        config.set_log_path(row.path);
        const auto whole = log_path_of(sandbox, config);
        ASSERT_EQ(whole.ok(), row.whole != nullptr) << row.directory << " " << row.path;
        if (whole) {
            EXPECT_EQ(*whole, row.whole);
        } else {
            EXPECT_EQ(whole.error().kind(), Kind::Invalid);
        }
    }
}

TEST(SandboxFiles, ResolvConfHasWhatWasAskedFor) {
    cri::DNSConfig dns;
    dns.add_servers("10.96.0.10");
    dns.add_servers("1.1.1.1");
    dns.add_searches("a.svc");
    dns.add_searches("svc");
    dns.add_options("ndots:5");
    EXPECT_EQ(resolv_conf_text(dns),
              "search a.svc svc\nnameserver 10.96.0.10\nnameserver 1.1.1.1\noptions ndots:5\n");
    EXPECT_EQ(resolv_conf_text({}), "");
}

TEST(SandboxFiles, HostsNamesThePod) {
    EXPECT_NE(hosts_text("web", {"10.1.0.2"}).find("10.1.0.2\tweb\n"), std::string::npos);
    EXPECT_NE(hosts_text("", {}).find("127.0.0.1\tlocalhost\n"), std::string::npos);
}

}  // namespace
}  // namespace orlop::core
