#include "kube/pod_read.h"

#include <array>
#include <cstdio>

#include "kube/pod_schema.h"

namespace orlop::kube {

namespace {

struct Document {
    std::string api_version;
    std::string kind;
    ObjectMeta meta;
    PodSpec spec;
    Others other;
};

}  // namespace

template <>
struct Schema<Document> {
    static std::span<const Field<Document>> fields() {
        using T = Document;
        static constexpr Field<T> table[] = {
            field<&T::api_version>("apiVersion", kRequired),
            field<&T::kind>("kind", kRequired),
            field<&T::meta>("metadata", kRequired),
            field<&T::spec>("spec", kRequired),
            // Written by a node, never read by one.
            kept<&T::other, Shape::Map>("status"),
        };
        return table;
    }
};

namespace {

// FNV-1a, 32 bits: the width that io.kubernetes.container.hash has always had.
std::string short_hash(const std::string& text) {
    uint32_t hash = 2166136261U;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 16777619U;
    }
    std::array<char, 16> out{};
    std::snprintf(out.data(), out.size(), "%08x", hash);
    return out.data();
}

void hash_containers(std::vector<Container>& list, const Json& spec, const char* field_name) {
    const auto at = spec.find(field_name);
    if (at == spec.end() || !at->is_array() || at->size() != list.size()) return;
    for (size_t i = 0; i < list.size(); ++i) list[i].hash = short_hash((*at)[i].dump());
}

Status check_kind(const Json& document) {
    if (!document.is_object()) return Error::invalid("a manifest must be a mapping");
    const std::string kind =
        document.contains("kind") && document["kind"].is_string() ? document["kind"].get<std::string>() : "";
    if (kind.empty()) return Error::invalid("kind: required");
    if (kind != "Pod") return Error::invalid("kind: '" + kind + "' is not supported here, only Pod");
    const auto version = document.find("apiVersion");
    if (version != document.end() && *version != "v1")
        return Error::invalid("apiVersion: must be v1 for a Pod, found " + version->dump());
    return ok();
}

}  // namespace

Result<ReadPod> read_pod(const Json& document) {
    TRY(check_kind(document));
    Findings findings;
    Document read;
    read_object(document, read, Path(), findings);
    if (!findings.errors().empty()) return Error::invalid(join(findings.errors()));
    ReadPod out;
    out.pod.meta = std::move(read.meta);
    out.pod.spec = std::move(read.spec);
    hash_containers(out.pod.spec.init_containers, document["spec"], "initContainers");
    hash_containers(out.pod.spec.containers, document["spec"], "containers");
    out.refusals = findings.refusals();
    out.warnings = findings.warnings();
    out.document = document;
    return out;
}

Result<std::vector<ReadPod>> read_pods(std::string_view text) {
    const std::vector<Json> documents = TRY(parse_documents(text));
    std::vector<ReadPod> out;
    for (size_t i = 0; i < documents.size(); ++i) {
        auto pod = read_pod(documents[i]);
        if (!pod && documents.size() > 1)
            return std::move(pod).error().under("document " + std::to_string(i + 1));
        out.push_back(TRY(std::move(pod)));
    }
    if (out.empty()) return Error::invalid("no document in it");
    return out;
}

Json pod_json(const Pod& pod) {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", Codec<ObjectMeta>::write(pod.meta)},
            {"spec", Codec<PodSpec>::write(pod.spec)}};
}

}  // namespace orlop::kube
