#include "images/lookup.h"

#include <algorithm>

namespace orlop::images {

namespace {

constexpr std::string_view kAlgorithm = "sha256:";
constexpr size_t kShortestPrefix = 4;

bool is_hex(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool named(const Image& image, const Reference& reference) {
    // A tag beside a digest is decoration: the digest decides, as in every registry client.
    if (reference.digest.empty()) return holds(image.repo_tags, reference.str());
    return holds(image.repo_digests, reference.domain + "/" + reference.path + "@" + reference.digest);
}

Result<std::optional<size_t>> by_prefix(const std::vector<Image>& images, const std::string& hex) {
    std::optional<size_t> found;
    for (size_t i = 0; i < images.size(); ++i) {
        if (!images[i].id.starts_with(std::string(kAlgorithm) + hex)) continue;
        if (found) return Error::invalid("image id " + hex + " is the beginning of several ids");
        found = i;
    }
    return found;
}

}  // namespace

Result<std::optional<size_t>> find_image(const std::vector<Image>& images, const std::string& text) {
    const bool prefixed = text.starts_with(kAlgorithm);
    const std::string hex = prefixed ? text.substr(kAlgorithm.size()) : text;
    const bool may_be_id = is_hex(hex) && hex.size() >= kShortestPrefix && hex.size() <= 64;
    if (!prefixed) {
        const auto reference = Reference::parse(text);
        if (!reference && !may_be_id) return reference.error();
        for (size_t i = 0; reference && i < images.size(); ++i) {
            if (named(images[i], *reference)) return std::optional<size_t>(i);
        }
    } else if (!may_be_id) {
        return Error::invalid("\"" + text + "\" is not an image id");
    }
    if (!may_be_id) return std::optional<size_t>();
    return by_prefix(images, hex);
}

}  // namespace orlop::images
