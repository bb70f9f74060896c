#include "runtime/oci/spec/spec.h"

#include <nlohmann/json.hpp>

#include "runtime/oci/spec/parts.h"

namespace orlop::oci {

namespace {

using launch::NsFrom;
using nlohmann::json;

// Deep nesting would take the parser's stack.
constexpr int kMaxDepth = 64;

Result<json> parse_json(std::string_view text, std::string_view what) {
    const auto shallow = [](int depth, json::parse_event_t, json&) {
        if (depth > kMaxDepth) throw std::length_error("nested deeper than 64 levels");
        return true;
    };
    try {
        return json::parse(text, shallow);
    } catch (const std::exception& error) {
        return Error::invalid(std::string(what) + " is not JSON: " + error.what());
    }
}

// "1.0.2" and "1.3.0-dev" alike: the first number decides.
Status check_version(const Field& from, std::string& version) {
    version = TRY(from.required_text());
    if (!version.starts_with("1.")) return from.wrong("\"" + version + "\" is not 1.x.y");
    return ok();
}

Status read_root(const Field& from, const std::string& bundle, const HostFacts& facts, launch::Root& root) {
    TRY(from.object());
    const std::string path = TRY(from["path"].required_text());
    root.path = clean_absolute(path.front() == '/' ? path : bundle + "/" + path);
    if (root.path == "/") return from["path"].wrong("the host's own root cannot be a container's");
    root.readonly = TRY(from["readonly"].flag_or(false));
    root.pivot = !facts.no_pivot;
    return ok();
}

Status read_names(const Field& root, launch::LaunchPlan& plan) {
    plan.hostname = TRY(root["hostname"].text_or(""));
    plan.domainname = TRY(root["domainname"].text_or(""));
    const bool own = plan.uts.from != NsFrom::Host;
    if (!plan.hostname.empty() && !own) return root["hostname"].wrong("needs a uts namespace");
    if (!plan.domainname.empty() && !own) return root["domainname"].wrong("needs a uts namespace");
    if (plan.hostname.size() > 64) return root["hostname"].wrong("is longer than 64 characters");
    if (plan.domainname.size() > 64) return root["domainname"].wrong("is longer than 64 characters");
    return ok();
}

Status read_annotations(const Field& from, ContainerSpec& spec) {
    for (const auto& [name, value] : TRY(from.members())) {
        if (name.empty()) return value.wrong("an annotation without a name");
        spec.annotations[name] = *TRY(value.text());
    }
    return ok();
}

Status read_all(const Field& root, const std::string& bundle, const HostFacts& facts, ContainerSpec& spec) {
    TRY(root.object());
    TRY(check_version(root["ociVersion"], spec.version));
    if (!root["linux"].there()) return root["linux"].wrong("is missing");
    TRY(root["linux"].object());
    if (!root["process"].there()) return root["process"].wrong("is missing");
    spec.plan.process = TRY(read_process(root["process"], facts));
    if (spec.plan.process.argv.empty()) return root["process"]["args"].wrong("is missing");
    TRY(read_namespaces(root["linux"], spec.plan));
    TRY(read_root(root["root"], bundle, facts, spec.plan.root));
    TRY(read_names(root, spec.plan));
    TRY(read_mounts(root["mounts"], bundle, spec.plan));
    if (!facts.cgroup_v2) spec.plan.cgroup_mounts = facts.v1_mounts;
    TRY(read_resources(root["linux"]["resources"], spec.resources));
    TRY(read_devices(root["linux"], spec));
    TRY(read_linux(root["linux"], spec));
    TRY(read_hooks(root["hooks"], spec));
    return read_annotations(root["annotations"], spec);
}

}  // namespace

Result<ContainerSpec> parse_spec(std::string_view config_json, const std::string& bundle,
                                 const HostFacts& facts) {
    const json document = TRY(parse_json(config_json, "config.json"));
    ContainerSpec spec;
    TRY(read_all(Field(&document, ""), bundle, facts, spec));
    return spec;
}

Result<launch::Process> parse_process(std::string_view process_json, const HostFacts& facts) {
    const json document = TRY(parse_json(process_json, "the process file"));
    launch::Process process = TRY(read_process(Field(&document, "process"), facts));
    if (process.argv.empty()) return Error::invalid("process.args: is missing");
    return process;
}

Result<cgroups::Resources> parse_resources(std::string_view resources_json) {
    const json document = TRY(parse_json(resources_json, "the resources"));
    cgroups::Resources out;
    TRY(read_resources(Field(&document, "resources"), out));
    return out;
}

}  // namespace orlop::oci
