#include "cli/import_progress.h"

#include <algorithm>

#include "cli/table.h"

namespace orlop::cli {

namespace {

constexpr size_t kBar = 30;

}  // namespace

std::string ImportProgressLines::text_of(const orlop::v1::ImportProgress& p) const {
    std::string out = p.layer().empty() ? p.stage() : "layer " + short_id(p.layer());
    if (!bars_) return out;
    if (p.total_bytes() > 0) out += "  " + bar(p.done_bytes(), p.total_bytes(), kBar);
    if (p.done_bytes() > 0) out += "  " + human_bytes(p.done_bytes());
    if (p.total_bytes() > 0) out += " of " + human_bytes(p.total_bytes());
    return out;
}

std::vector<std::string> ImportProgressLines::after(const orlop::v1::ImportProgress& progress) {
    if (progress.stage() == "done") return lines_;
    const std::string key = progress.layer().empty() ? progress.stage() : progress.layer();
    // The digest of a layer comes to be known while it is read: its line goes on under the digest.
    const bool named_now = !keys_.empty() && keys_.back() == "layer" && !progress.layer().empty() &&
                           std::find(keys_.begin(), keys_.end(), key) == keys_.end();
    if (named_now) keys_.back() = key;
    auto at = std::find(keys_.begin(), keys_.end(), key);
    if (at == keys_.end()) {
        keys_.push_back(key);
        lines_.push_back(text_of(progress));
    } else {
        lines_[static_cast<size_t>(at - keys_.begin())] = text_of(progress);
    }
    return lines_;
}

std::vector<std::string> imported_lines(const orlop::v1::ImportProgress& last) {
    std::vector<std::string> out;
    for (const auto& image : last.images()) {
        const std::string id = short_id(image.id());
        if (image.references().empty()) out.push_back("imported " + id);
        for (const std::string& name : image.references())
            out.push_back("imported " + printable(name) + " (" + id + ")");
    }
    return out;
}

}  // namespace orlop::cli
