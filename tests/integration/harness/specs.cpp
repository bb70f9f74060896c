#include "harness/specs.h"

#include "base/strong.h"
#include "harness/images.h"

namespace orlop::it {

Json pod_config(const Node& node, const std::string& name) {
    return {{"metadata", {{"name", name}, {"namespace", "it"}, {"uid", random_uuid()}, {"attempt", 0}}},
            {"hostname", name},
            {"log_directory", node.paths().pod_logs + "/" + name},
            {"labels", {{"suite", "it"}, {"io.kubernetes.pod.name", name}}},
            {"annotations", {{"it/note", "kept as it is: \xc3\xa4 \" {}"}}},
            {"linux",
             {{"cgroup_parent", node.cgroup_parent()},
              {"security_context", {{"namespace_options", {{"network", 0}, {"pid", 1}, {"ipc", 0}}}}}}}};
}

Json host_pod_config(const Node& node, const std::string& name) {
    Json pod = pod_config(node, name);
    pod["linux"]["security_context"]["namespace_options"]["network"] = 2;
    pod.erase("hostname");
    return pod;
}

Json command_config(const std::string& name, std::vector<std::string> command) {
    return {
        {"metadata", {{"name", name}, {"attempt", 0}}},
        {"image", {{"image", kBusyboxImage}, {"user_specified_image", kBusyboxImage}}},
        {"command", std::move(command)},
        {"labels", {{"io.kubernetes.container.name", name}}},
        {"log_path", name + ".log"},
        {"linux", {{"security_context", {{"namespace_options", {{"network", 0}, {"pid", 1}, {"ipc", 0}}}}}}}};
}

Json shell_config(const std::string& name, const std::string& script) {
    return command_config(name, {"/bin/sh", "-c", script});
}

}  // namespace orlop::it
