// What is on the disk, compared with what the catalog says.
#include <set>

#include "images/disk_usage.h"
#include "images/json_fields.h"
#include "images/state.h"

namespace orlop::images {

Result<std::vector<std::string>> StoreState::check_layer(const LayerRow& layer) const {
    if (!layers_.exists(layer.key)) return std::vector<std::string>{"layer " + layer.key + " is missing"};
    const DiskUsage usage = TRY(measure_tree(layers_, layer.key));
    if (usage.inodes != layer.inodes)
        return std::vector<std::string>{"layer " + layer.key + " has " + std::to_string(usage.inodes) +
                                        " files and directories, not " + std::to_string(layer.inodes)};
    // A file that is shorter than it was has fewer blocks; the other way round, blocks may come with the
    // file system's own bookkeeping.
    if (usage.bytes < layer.bytes)
        return std::vector<std::string>{"layer " + layer.key + " takes " + std::to_string(usage.bytes) +
                                        " bytes, not " + std::to_string(layer.bytes)};
    return std::vector<std::string>{};
}

Result<Verified> StoreState::verify() {
    Verified out;
    std::vector<LayerRow> layers;
    {
        const std::lock_guard lock(mutex_);
        out.images = rows_.size();
        layers = TRY(catalog_.layers());
        std::set<std::string> known;
        for (const std::string& digest : TRY(catalog_.blobs())) {
            const std::string name = digest.substr(digest.find(':') + 1);
            known.insert(name);
            const auto content = blobs_.read(name, kMaxDocument);
            if (!content)
                out.problems.push_back("blob " + digest + ": " + content.error().what());
            else if (sha256_of(*content).str() != digest)
                out.problems.push_back("blob " + digest + " is damaged");
        }
        for (const std::string& name : TRY(blobs_.list())) {
            if (!known.contains(name)) out.problems.push_back("blob " + name + " belongs to no image");
        }
        known.clear();
        for (const LayerRow& layer : layers) known.insert(layer.key);
        for (const std::string& name : TRY(layers_.list())) {
            if (!known.contains(name)) out.problems.push_back("layer " + name + " is not in the catalog");
        }
        TRY(catalog_.pin(kVerifyOwner, {known.begin(), known.end()}));
    }
    out.layers = layers.size();
    // Without the lock: this reads every inode. The pins keep the layers meanwhile.
    Status checked = ok();
    for (const LayerRow& layer : layers) {
        auto problems = check_layer(layer);
        if (!problems) {
            checked = std::move(problems).error().under("layer " + layer.key);
            break;
        }
        out.problems.insert(out.problems.end(), problems->begin(), problems->end());
    }
    TRY(unpin(kVerifyOwner));
    TRY(checked);
    return out;
}

}  // namespace orlop::images
