#include "kube/findings.h"

namespace orlop::kube {

namespace {

constexpr size_t kKept = 50;
constexpr size_t kJoined = 5;

}  // namespace

std::string Path::str() const {
    if (part_ == Part::Root) return {};
    std::string out = parent_->str();
    switch (part_) {
        case Part::Index:
            return out + "[" + std::to_string(index_) + "]";
        case Part::Key:
            return out + "[" + std::string(name_) + "]";
        default:
            return out.empty() ? std::string(name_) : out + "." + std::string(name_);
    }
}

void Findings::add(std::vector<Finding>& list, const Path& path, std::string message) {
    if (list.size() < kKept) list.push_back({path.str(), std::move(message)});
}

void Findings::unknown(const Path& path) {
    if (unknown_ == UnknownFields::Error) return error(path, "unknown field");
    warn(path, "unknown field, ignored");
}

std::string join(const std::vector<Finding>& findings) {
    std::string out;
    for (size_t i = 0; i < findings.size() && i < kJoined; ++i) {
        if (i != 0) out += "; ";
        out += findings[i].text();
    }
    if (findings.size() > kJoined) out += "; and " + std::to_string(findings.size() - kJoined) + " more";
    return out;
}

}  // namespace orlop::kube
