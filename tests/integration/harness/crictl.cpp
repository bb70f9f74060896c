#include "harness/crictl.h"

#include <gtest/gtest.h>

#include "base/dir.h"
#include "base/strong.h"

namespace orlop::it {
namespace {

std::string joined(const std::vector<std::string>& args) {
    std::string all = "crictl";
    for (const std::string& arg : args) all += " " + arg;
    return all;
}

}  // namespace

std::vector<std::string> Crictl::argv(const std::vector<std::string>& args,
                                      std::chrono::seconds limit) const {
    const std::string timeout = std::to_string(limit.count()) + "s";
    std::vector<std::string> all = {
        place().crictl, "--config", dir_ + "/crictl.yaml", "-r", "unix://" + socket_, "-t", timeout};
    all.insert(all.end(), args.begin(), args.end());
    return all;
}

Reply Crictl::run(const std::vector<std::string>& args, std::chrono::seconds limit) const {
    return it::run(argv(args, limit), {}, limit);
}

std::string Crictl::must(const std::vector<std::string>& args) const {
    Reply reply = run(args);
    if (!reply.ok()) {
        ADD_FAILURE() << joined(args) << ": exit " << reply.code << "\n" << reply.err << reply.out;
        return "";
    }
    if (reply.out.ends_with('\n')) reply.out.pop_back();
    return reply.out;
}

Json Crictl::json(const std::vector<std::string>& args) const {
    const std::string text = must(args);
    if (text.empty()) return nullptr;
    Json parsed = Json::parse(text, nullptr, false);
    if (parsed.is_discarded()) {
        ADD_FAILURE() << joined(args) << ": not JSON:\n" << text;
        return nullptr;
    }
    return parsed;
}

std::string Crictl::write(const std::string& name, const Json& config) const {
    const Status written = Dir::open(dir_)->write_atomic(name, config.dump(2));
    EXPECT_TRUE(written) << written.error().what();
    return dir_ + "/" + name;
}

// A file of its own for each call: several threads may drive one node.
std::string Crictl::runp(const Json& pod) const {
    return must({"runp", write("pod-" + random_uuid() + ".json", pod)});
}

std::string Crictl::create(const std::string& pod_id, const Json& container, const Json& pod) const {
    const std::string unique = random_uuid();
    return must({"create", pod_id, write("container-" + unique + ".json", container),
                 write("pod-" + unique + ".json", pod)});
}

std::string Crictl::launch(const std::string& pod_id, const Json& container, const Json& pod) const {
    const std::string id = create(pod_id, container, pod);
    if (!id.empty()) must({"start", id});
    return id;
}

Json Crictl::container_status(const std::string& id) const {
    const Json found = json({"inspect", "-o", "json", id});
    return found.is_object() ? found.value("status", Json::object()) : Json::object();
}

Json Crictl::pod_status(const std::string& id) const {
    const Json found = json({"inspectp", "-o", "json", id});
    return found.is_object() ? found.value("status", Json::object()) : Json::object();
}

pid_t Crictl::container_pid(const std::string& id) const {
    const Json found = json({"inspect", "-o", "json", id});
    return found.is_object() ? found.value(Json::json_pointer("/info/pid"), 0) : 0;
}

Json Crictl::wait_exit(const std::string& id, std::chrono::seconds limit) const {
    Json status = Json::object();
    if (id.empty()) return status;  // what should have made it has failed the test
    const bool exited = eventually(limit, [&] {
        status = container_status(id);
        return status.value("state", "") == "CONTAINER_EXITED";
    });
    EXPECT_TRUE(exited) << id << " is still " << status.value("state", "?");
    return status;
}

void Crictl::remove_all() const {
    const Json pods = json({"pods", "-o", "json"});
    if (!pods.is_object()) return;
    for (const Json& pod : pods.value("items", Json::array())) must({"rmp", "-f", pod.value("id", "")});
}

}  // namespace orlop::it
