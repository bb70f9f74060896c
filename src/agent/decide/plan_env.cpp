// Environment variables and $(NAME) in them.
#include <algorithm>

#include "agent/decide/plan.h"

namespace orlop::agent {

namespace {

using Env = std::vector<std::pair<std::string, std::string>>;

std::string joined(const std::vector<std::string>& list) {
    std::string out;
    for (const std::string& each : list) out += (out.empty() ? "" : ",") + each;
    return out;
}

std::string first(const std::vector<std::string>& list) {
    return list.empty() ? "" : list.front();
}

std::string lookup(const std::map<std::string, std::string>& map, const std::string& key) {
    const auto at = map.find(key);
    return at == map.end() ? "" : at->second;
}

// metadata.labels['key'] -> key
std::string subscript(const std::string& path) {
    const size_t open = path.find("['");
    return path.substr(open + 2, path.size() - open - 4);
}

Result<std::string> field_value(const EnvFacts& f, const std::string& path) {
    const kube::ObjectMeta& meta = f.pod.meta;
    const bool host = f.pod.spec.host_network;
    const std::vector<std::string> host_ips{f.node.host_ip};
    const std::vector<std::string>& ips = host ? host_ips : f.pod_ips;
    if (path == "metadata.name") return meta.name;
    if (path == "metadata.namespace") return meta.ns;
    if (path == "metadata.uid") return meta.uid;
    if (path.starts_with("metadata.labels['")) return lookup(meta.labels, subscript(path));
    if (path.starts_with("metadata.annotations['")) return lookup(meta.annotations, subscript(path));
    if (path == "spec.nodeName") return f.node.node_name;
    if (path == "spec.serviceAccountName") return std::string();
    if (path == "status.hostIP" || path == "status.hostIPs") return f.node.host_ip;
    if (path == "status.podIP") return first(ips);
    if (path == "status.podIPs") return joined(ips);
    return Error::invalid("fieldRef " + path + " is not supported");
}

// A limit that is not set is what the node has.
Result<std::string> resource_value(const EnvFacts& f, const kube::ResourceSelector& ref) {
    const kube::Container* from = &f.container;
    for (const auto* list : {&f.pod.spec.init_containers, &f.pod.spec.containers}) {
        for (const kube::Container& each : *list) {
            if (each.name == ref.container) from = &each;
        }
    }
    const bool limits = ref.resource.starts_with("limits.");
    const std::string name = ref.resource.substr(ref.resource.find('.') + 1);
    const kube::ResourceList& list = limits ? from->resources.limits : from->resources.requests;
    kube::Quantity amount;
    if (const auto at = list.find(name); at != list.end()) {
        amount = at->second;
    } else if (limits) {
        amount = name == "cpu" ? TRY(kube::Quantity::parse(std::to_string(f.node.cpu_milli) + "m"))
                               : kube::Quantity::whole(f.node.memory_capacity);
    }
    const kube::Quantity divisor =
        ref.divisor && !ref.divisor->zero() ? *ref.divisor : kube::Quantity::whole(1);
    return std::to_string(amount.divided_by(divisor));
}

const std::string* find(const Env& env, const std::string& name) {
    for (auto each = env.rbegin(); each != env.rend(); ++each) {
        if (each->first == name) return &each->second;
    }
    return nullptr;
}

}  // namespace

std::string expand(const std::string& text, const Env& env) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '$' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        if (text[i + 1] == '$') {
            out += '$';
            ++i;
            continue;
        }
        const size_t end = text[i + 1] == '(' ? text.find(')', i + 2) : std::string::npos;
        if (end == std::string::npos) {
            out += text[i];
            continue;
        }
        const std::string name = text.substr(i + 2, end - i - 2);
        const std::string* value = find(env, name);
        out += value != nullptr ? *value : text.substr(i, end - i + 1);
        i = end;
    }
    return out;
}

Result<Env> plan_env(const EnvFacts& facts) {
    Env out;
    for (const kube::EnvVar& each : facts.container.env) {
        std::string value;
        if (!each.from)
            value = expand(each.value, out);
        else if (each.from->field_ref)
            value = TRY(field_value(facts, each.from->field_ref->field_path));
        else if (each.from->resource_ref)
            value = TRY(resource_value(facts, *each.from->resource_ref));
        // A name that appears twice has the later value, in the place of the first.
        const auto same =
            std::find_if(out.begin(), out.end(), [&](const auto& old) { return old.first == each.name; });
        if (same != out.end())
            same->second = std::move(value);
        else
            out.emplace_back(each.name, std::move(value));
    }
    return out;
}

}  // namespace orlop::agent
