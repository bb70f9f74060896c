#include "harness/node_test.h"

#include <sstream>

#include "base/dir.h"

namespace orlop::it {

std::unique_ptr<Node> NodeTest::node_;
std::unique_ptr<LeakCheck> NodeTest::whole_suite_;

void NodeTest::SetUp() {
    ORLOP_IT_NEEDS(Need::Root, Need::Cgroups, Need::Cni, Need::Crictl, Need::Busybox);
    if (!place().reference) ORLOP_IT_NEEDS(Need::Orlop, Need::Cli);
    if (node_ == nullptr) {
        const std::string suite = ::testing::UnitTest::GetInstance()->current_test_suite()->name();
        whole_suite_ = std::make_unique<LeakCheck>(NodePaths::of(suite));
        node_ = std::make_unique<Node>(suite);
        const Status started = node_->start();
        ASSERT_TRUE(started) << started.error().what();
        const Status imported = node_->import(busybox_image(place().busybox));
        ASSERT_TRUE(imported) << imported.error().what() << "\n" << node_->log_tail();
    }
    ASSERT_FALSE(node_->runtime().ended()) << "the runtime did not start, or an earlier test ended it";
    leaks_ = std::make_unique<LeakCheck>(node_->paths());
}

void NodeTest::TearDown() {
    if (leaks_ == nullptr) return;
    crictl().remove_all();
    leaks_->expect_clean();
    if (HasFailure()) std::cerr << "--- runtime log ---\n" << node_->log_tail() << "\n---\n";
}

void NodeTest::TearDownTestSuite() {
    node_.reset();
    if (whole_suite_ != nullptr) whole_suite_->expect_clean();
    whole_suite_.reset();
}

NodeTest::Launched NodeTest::launch(const std::string& name, const std::string& script) {
    const Json pod = pod_config(node(), name);
    Launched launched;
    launched.pod = crictl().runp(pod);
    if (!launched.pod.empty())
        launched.container = crictl().launch(launched.pod, shell_config(name, script), pod);
    return launched;
}

std::string NodeTest::log_of(const std::string& pod_name, const std::string& container) const {
    const auto text =
        read_file(node_->paths().pod_logs + "/" + pod_name + "/" + container + ".log", 256u << 20);
    return text ? *text : "";
}

std::vector<LogLine> parse_log(const std::string& text) {
    std::vector<LogLine> lines;
    std::istringstream stream(text);
    std::string line;
    while (std::getline(stream, line)) {
        std::istringstream fields(line);
        LogLine parsed;
        fields >> parsed.time >> parsed.stream >> parsed.tag;
        fields.get();
        std::getline(fields, parsed.text);
        lines.push_back(std::move(parsed));
    }
    return lines;
}

}  // namespace orlop::it
