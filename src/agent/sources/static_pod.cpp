#include "agent/sources/static_pod.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "agent/decide/labels.h"

namespace orlop::agent {

namespace {

// 32 hexadecimal digits, the form that static pods' UIDs have always had.
std::string digest(const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), bytes.data(), &size, EVP_sha256(), nullptr);
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (size_t i = 0; i < 16; ++i) {
        out += kDigits[bytes[i] >> 4];
        out += kDigits[bytes[i] & 15];
    }
    return out;
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

}  // namespace

DesiredPod make_static_pod(const kube::ReadPod& read, const std::string& node_name, const std::string& file,
                           Nanos seen) {
    auto pod = std::make_shared<kube::Pod>(read.pod);
    kube::ObjectMeta& meta = pod->meta;
    if (meta.uid.empty())
        meta.uid = digest(read.document.dump() + '\0' + "host:" + node_name + '\0' + "file:" + file);
    meta.name += "-" + lower(node_name);
    meta.created = kube::Time{seen};
    meta.annotations[labels::kConfigSource] = "file";
    meta.annotations[labels::kConfigHash] = meta.uid;
    meta.annotations[labels::kConfigSeen] = rfc3339_nano(seen);
    pod->spec.node_name = node_name;
    kube::Json& tolerations = pod->spec.other.try_emplace("tolerations", kube::Json::array()).first->second;
    const kube::Json every = {{"operator", "Exists"}, {"effect", "NoExecute"}};
    if (std::find(tolerations.begin(), tolerations.end(), every) == tolerations.end())
        tolerations.push_back(every);
    return {std::move(pod), read.refusals};
}

}  // namespace orlop::agent
