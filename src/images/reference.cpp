// The grammar is that of the distribution project's reference package:
//   [domain[:port]/]component[/component]...[:tag][@digest]
#include <algorithm>
#include <vector>

#include "images/digest.h"
#include "images/store.h"

namespace orlop::images {

namespace {

constexpr size_t kMaxName = 255;
constexpr size_t kMaxTag = 128;

bool lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool letter_or_digit(char c) {
    return lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts(1);
    for (char c : text) {
        if (c == at)
            parts.emplace_back();
        else
            parts.back().push_back(c);
    }
    return parts;
}

// Alphanumeric runs joined by ".", "_", "__" or any number of "-".
bool good_component(const std::string& text) {
    if (text.empty() || !lower_or_digit(text.front()) || !lower_or_digit(text.back())) return false;
    for (size_t i = 0; i < text.size();) {
        if (lower_or_digit(text[i])) {
            ++i;
            continue;
        }
        size_t end = i;
        while (end < text.size() && !lower_or_digit(text[end])) ++end;
        const std::string separator = text.substr(i, end - i);
        const bool dashes = separator.find_first_not_of('-') == std::string::npos;
        if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
        i = end;
    }
    return true;
}

bool good_host(const std::string& host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        return host.find_first_not_of("0123456789abcdefABCDEF:", 1) == host.size() - 1;
    const auto labels = split(host, '.');
    return std::all_of(labels.begin(), labels.end(), [](const std::string& label) {
        return !label.empty() && label.front() != '-' && label.back() != '-' &&
               std::all_of(label.begin(), label.end(), [](char c) { return letter_or_digit(c) || c == '-'; });
    });
}

bool good_domain(const std::string& domain) {
    const size_t bracket = domain.rfind(']');
    const size_t colon = domain.find(':', bracket == std::string::npos ? 0 : bracket);
    if (colon == std::string::npos) return good_host(domain);
    const std::string port = domain.substr(colon + 1);
    return !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos &&
           good_host(domain.substr(0, colon));
}

Status check_tag(const std::string& tag) {
    const auto good = [](char c) { return letter_or_digit(c) || c == '_' || c == '.' || c == '-'; };
    if (tag.empty() || tag.size() > kMaxTag || tag.front() == '.' || tag.front() == '-' ||
        !std::all_of(tag.begin(), tag.end(), good))
        return Error::invalid("tag \"" + tag.substr(0, kMaxTag) +
                              "\" is not 1..128 letters, digits, '_', '.' or '-'");
    return ok();
}

// The first component is a host only if it cannot be a Docker Hub user: it has a dot or a port, is
// "localhost", or has upper case letters.
void split_domain(const std::string& name, Reference& out) {
    const size_t slash = name.find('/');
    const std::string first = name.substr(0, slash);
    const bool host = slash != std::string::npos &&
                      (first.find_first_of(".:") != std::string::npos || first == "localhost" ||
                       std::any_of(first.begin(), first.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
    out.domain = host ? first : "docker.io";
    out.path = host ? name.substr(slash + 1) : name;
    if (out.domain == "index.docker.io") out.domain = "docker.io";
    if (out.domain == "docker.io" && out.path.find('/') == std::string::npos)
        out.path = "library/" + out.path;
}

Status check_name(const Reference& name) {
    if (!good_domain(name.domain)) return Error::invalid("\"" + name.domain + "\" is not a registry host");
    for (const std::string& component : split(name.path, '/')) {
        if (std::any_of(component.begin(), component.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
            return Error::invalid("repository name \"" + name.path + "\" has upper case letters");
        if (!good_component(component))
            return Error::invalid("\"" + component + "\" is not a component of a repository name");
    }
    if (name.domain.size() + 1 + name.path.size() > kMaxName)
        return Error::invalid("repository name is longer than 255 characters");
    return ok();
}

Result<Reference> parse_reference(const std::string& text) {
    Reference out;
    std::string name = text;
    if (const size_t at = name.find('@'); at != std::string::npos) {
        out.digest = TRY(Digest::parse(name.substr(at + 1))).str();
        name.resize(at);
    }
    const size_t slash = name.rfind('/');
    if (const size_t colon = name.find(':', slash == std::string::npos ? 0 : slash);
        colon != std::string::npos) {
        out.tag = name.substr(colon + 1);
        TRY(check_tag(out.tag));
        name.resize(colon);
    }
    if (name.empty()) return Error::invalid("no repository name");
    if (name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos)
        return Error::invalid("64 hexadecimal digits are an image id, not a name");
    split_domain(name, out);
    TRY(check_name(out));
    if (out.tag.empty() && out.digest.empty()) out.tag = "latest";
    return out;
}

}  // namespace

std::string Reference::str() const {
    std::string text = domain + "/" + path;
    if (!tag.empty()) text += ":" + tag;
    if (!digest.empty()) text += "@" + digest;
    return text;
}

Result<Reference> Reference::parse(const std::string& text) {
    if (text.size() > 512) return Error::invalid("image reference is longer than 512 characters");
    return parse_reference(text).under("image reference \"" + text + "\"");
}

}  // namespace orlop::images
