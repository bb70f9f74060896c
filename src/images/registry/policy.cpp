#include "images/registry/policy.h"

#include "base/dir.h"
#include "images/json_fields.h"

namespace orlop::registry {

using nlohmann::json;

namespace {

// The scopes that match the image, the narrowest first: host/ns/app:tag, host/ns/app, host/ns, host,
// *.example.com, *.com.
std::vector<std::string> scopes_of(const images::Reference& image) {
    const std::string repository = image.domain + "/" + image.path;
    std::vector<std::string> out;
    if (!image.digest.empty()) out.push_back(repository + "@" + image.digest);
    if (!image.tag.empty()) out.push_back(repository + ":" + image.tag);
    for (std::string at = repository; !at.empty();) {
        out.push_back(at);
        const size_t slash = at.rfind('/');
        at.resize(slash == std::string::npos ? 0 : slash);
    }
    std::string host = image.domain.substr(0, image.domain.rfind(':'));
    for (size_t dot = host.find('.'); dot != std::string::npos; dot = host.find('.', dot + 1))
        out.push_back("*" + host.substr(dot));
    return out;
}

Status check_requirements(const json& requirements, const std::string& scope) {
    const std::string whose = "policy for " + scope;
    if (!requirements.is_array() || requirements.empty())
        return Error::invalid(whose + " is not a list of requirements");
    for (const json& requirement : requirements) {
        const std::string type = TRY(images::string_field(requirement, "type").under(whose));
        if (type == "insecureAcceptAnything") continue;
        if (type == "reject")
            return Error::precondition(std::string(kSignature) + ": the " + whose + " rejects the image");
        if (type == "signedBy" || type == "sigstoreSigned")
            return Error::precondition(std::string(kSignature) + ": the " + whose +
                                       " asks for a signature (" + type + "), which cannot be verified");
        return Error::invalid(whose + " has an unknown type \"" + type.substr(0, 50) + "\"");
    }
    return ok();
}

}  // namespace

Status check_policy(std::string_view text, const images::Reference& image) {
    const json policy = TRY(images::parse_json(text));
    if (!policy.is_object()) return Error::invalid("not a JSON object");
    const json* transports = images::find_field(policy, "transports");
    const json* docker = transports != nullptr ? images::find_field(*transports, "docker") : nullptr;
    if (docker != nullptr) {
        for (const std::string& scope : scopes_of(image)) {
            if (const json* found = images::find_field(*docker, scope.c_str()))
                return check_requirements(*found, "\"" + scope + "\"");
        }
        if (const json* any = images::find_field(*docker, "")) return check_requirements(*any, "registries");
    }
    const json* fallback = images::find_field(policy, "default");
    if (fallback == nullptr) return Error::invalid("has no \"default\"");
    return check_requirements(*fallback, "everything else");
}

Status check_policy_file(const std::string& file, const images::Reference& image) {
    if (file.empty()) return ok();
    const auto text = read_file(file, images::kMaxDocument);
    if (!text && text.error().kind() == Kind::NotFound) return ok();
    if (!text) return text.error();
    return check_policy(*text, image).under(file);
}

}  // namespace orlop::registry
