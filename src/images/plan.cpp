#include "images/plan.h"

#include <map>

#include "images/json_fields.h"
#include "images/manifest.h"

namespace orlop::images {

namespace {

constexpr int kMaxNesting = 4;

// What an archive says an image is called: whole references, or a bare tag that is no name.
struct Names {
    std::vector<std::string> full;
    std::string bare_tag;
};

std::string blob_name(const Digest& digest) {
    return "blobs/sha256/" + hex_of(digest);
}

Status set_config(ImagePlan& plan) {
    ParsedConfig parsed = TRY(parse_config(plan.config_json).under("config " + plan.id.str()));
    if (parsed.diff_ids.size() != plan.layers.size())
        return Error::invalid("config " + plan.id.str() + " has " + std::to_string(parsed.diff_ids.size()) +
                              " DiffIDs for " + std::to_string(plan.layers.size()) + " layers");
    plan.config = std::move(parsed.config);
    for (size_t i = 0; i < plan.layers.size(); ++i) plan.layers[i].diff_id = parsed.diff_ids[i];
    plan.documents.emplace_back(plan.id, plan.config_json);
    return ok();
}

Status set_names(ImagePlan& plan, const Names& inside, const std::string& wanted,
                 const std::optional<Digest>& target) {
    std::vector<std::string> names = inside.full;
    if (!wanted.empty()) names = {wanted};
    if (names.empty() && !inside.bare_tag.empty())
        return Error::invalid("the archive names its image only by the tag \"" + inside.bare_tag +
                              "\": say what reference it shall have");
    for (const std::string& name : names) {
        const Reference reference = TRY(Reference::parse(name));
        const std::string repository = reference.domain + "/" + reference.path;
        if (!reference.digest.empty() && (!target || target->str() != reference.digest))
            return Error::invalid("\"" + name + "\" asks for another digest than the archive's " +
                                  (target ? target->str() : "(a docker-archive has none)"));
        if (!reference.tag.empty()) plan.repo_tags.push_back(repository + ":" + reference.tag);
        if (target) plan.repo_digests.push_back(repository + "@" + target->str());
    }
    return ok();
}

// Docker names the config by its digest; some tools use other names, which then promise nothing.
Status check_config_name(const std::string& file, const Digest& id) {
    std::string base = file.substr(file.rfind('/') == std::string::npos ? 0 : file.rfind('/') + 1);
    if (base.ends_with(".json")) base.resize(base.size() - 5);
    const auto promised = Digest::parse("sha256:" + base);
    if (promised && *promised != id)
        return Error::invalid("config \"" + file + "\" has another digest: " + id.str());
    return ok();
}

Result<ImagePlan> plan_docker_image(const Source& source, const DockerImage& image,
                                    const std::string& wanted) {
    std::string config = TRY(read_document(source, image.config));
    ImagePlan plan{sha256_of(config), config, {}, {}, {}, {}, {}};
    TRY(check_config_name(image.config, plan.id));
    for (const std::string& layer : image.layers)
        plan.layers.push_back({layer, plan.id, std::nullopt, TRY(source.size(layer))});
    TRY(set_config(plan));
    TRY(set_names(plan, {image.repo_tags, ""}, wanted, std::nullopt));
    return plan;
}

Result<std::vector<ImagePlan>> plan_docker(const Source& source, const std::string& wanted) {
    const auto images =
        TRY(parse_docker_manifest(TRY(read_document(source, "manifest.json"))).under("manifest.json"));
    if (images.empty()) return Error::invalid("manifest.json names no image");
    if (!wanted.empty() && images.size() > 1)
        return Error::invalid("the archive holds " + std::to_string(images.size()) +
                              " images; one reference cannot name them all");
    std::vector<ImagePlan> plans;
    plans.reserve(images.size());
    for (const DockerImage& image : images) plans.push_back(TRY(plan_docker_image(source, image, wanted)));
    return plans;
}

// The bytes of a descriptor's blob, checked against it.
Result<std::string> read_blob(const Source& source, const Descriptor& descriptor) {
    if (descriptor.size > kMaxDocument)
        return Error(Kind::Exhausted, descriptor.digest.str() + " is larger than 4 MiB");
    std::string content = TRY(read_document(source, blob_name(descriptor.digest)));
    if (content.size() != descriptor.size)
        return Error::invalid(descriptor.digest.str() + " is " + std::to_string(content.size()) +
                              " bytes long, not " + std::to_string(descriptor.size));
    if (const Digest actual = sha256_of(content); actual != descriptor.digest)
        return Error::invalid("blob " + descriptor.digest.str() + " has another digest: " + actual.str());
    return content;
}

Status set_layers(const Source& source, const Manifest& manifest, ImagePlan& plan) {
    for (const Descriptor& layer : manifest.layers) {
        const std::string file = blob_name(layer.digest);
        const auto size = source.size(file);
        if (!size) return Error(size.error()).under("layer " + layer.digest.str() + " is not in the archive");
        if (*size != layer.size)
            return Error::invalid("layer " + layer.digest.str() + " is " + std::to_string(*size) +
                                  " bytes long, not " + std::to_string(layer.size));
        plan.layers.push_back({file, plan.id, layer.digest, layer.size});
    }
    return ok();
}

// From a descriptor of index.json down to a manifest, through indexes of platforms.
Result<ImagePlan> plan_oci_image(const Source& source, const Descriptor& target, const Platform& host) {
    std::vector<std::pair<Digest, std::string>> documents;
    Descriptor at = target;
    for (int nesting = 0; nesting < kMaxNesting; ++nesting) {
        const std::string text = TRY(read_blob(source, at));
        documents.emplace_back(at.digest, text);
        const Document document = TRY(parse_document(text, at.media_type).under(at.digest.str()));
        if (const auto* index = std::get_if<Index>(&document)) {
            at = TRY(choose_platform(index->manifests, host).under(at.digest.str()));
            continue;
        }
        const auto& manifest = std::get<Manifest>(document);
        ImagePlan plan{manifest.config.digest, TRY(read_blob(source, manifest.config)), {}, {}, {}, {}, {}};
        plan.documents = std::move(documents);
        TRY(set_layers(source, manifest, plan));
        TRY(set_config(plan));
        return plan;
    }
    return Error::invalid("indexes nested too deep");
}

Names names_of(const Descriptor& descriptor) {
    const auto annotation = [&](const char* key) {
        const auto it = descriptor.annotations.find(key);
        return it == descriptor.annotations.end() ? std::string() : it->second;
    };
    if (auto name = annotation("io.containerd.image.name"); !name.empty()) return {{name}, ""};
    const std::string ref = annotation("org.opencontainers.image.ref.name");
    if (ref.find_first_of(":/") != std::string::npos) return {{ref}, ""};
    return {{}, ref};
}

// Descriptors of the same name are platforms of one image, of different names different images.
Result<std::vector<ImagePlan>> plan_oci(const Source& source, const std::string& wanted,
                                        const Platform& host) {
    const Document document =
        TRY(parse_document(TRY(read_document(source, "index.json")), "").under("index.json"));
    const auto* index = std::get_if<Index>(&document);
    if (index == nullptr) return Error::invalid("index.json is not an index");
    std::map<std::string, std::vector<Descriptor>> groups;
    for (const Descriptor& descriptor : index->manifests) {
        const Names names = names_of(descriptor);
        groups[names.full.empty() ? names.bare_tag : names.full.front()].push_back(descriptor);
    }
    if (groups.empty()) return Error::invalid("index.json names no image");
    if (!wanted.empty() && groups.size() > 1)
        return Error::invalid("the archive holds " + std::to_string(groups.size()) +
                              " images; one reference cannot name them all");
    std::vector<ImagePlan> plans;
    for (const auto& [name, descriptors] : groups) {
        const Descriptor target =
            descriptors.size() == 1 ? descriptors.front() : TRY(choose_platform(descriptors, host));
        ImagePlan plan = TRY(plan_oci_image(source, target, host).under("image \"" + name + "\""));
        TRY(set_names(plan, names_of(target), wanted, target.digest));
        plans.push_back(std::move(plan));
    }
    return plans;
}

Status check_layout(const Source& source) {
    const auto layout = TRY(parse_json(TRY(read_document(source, "oci-layout"))).under("oci-layout"));
    const std::string version = TRY(string_field(layout, "imageLayoutVersion"));
    if (!version.starts_with("1."))
        return Error::unimplemented("OCI layout version \"" + version + "\" is not supported");
    return ok();
}

}  // namespace

Result<std::vector<ImagePlan>> plan_import(const Source& source, const std::string& reference,
                                           const Platform& host) {
    if (!reference.empty()) TRY(Reference::parse(reference));
    // docker save writes both since version 25; only the OCI side has digests of manifests.
    if (source.has("oci-layout") && source.has("index.json")) {
        TRY(check_layout(source));
        return plan_oci(source, reference, host);
    }
    if (source.has("manifest.json")) return plan_docker(source, reference);
    if (source.has("repositories"))
        return Error::unimplemented("archive of docker save before 1.10 (schema 1) is not supported");
    return Error::invalid(
        "neither a docker-archive (manifest.json) nor an OCI layout (oci-layout, index.json)");
}

}  // namespace orlop::images
