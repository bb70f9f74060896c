#include "images/state.h"

#include <algorithm>
#include <set>

#include "base/strong.h"
#include "images/config.h"
#include "images/disk_usage.h"
#include "images/json_fields.h"

namespace orlop::images {

namespace {

std::string hex_part(const std::string& digest) {
    return digest.substr(digest.find(':') + 1);
}

}  // namespace

std::shared_ptr<const std::vector<Image>> StoreState::images() const {
    const std::lock_guard lock(mutex_);
    return images_;
}

Result<Image> StoreState::image_of(const ImageRow& row) const {
    Image image;
    image.id = row.id;
    image.repo_tags = row.repo_tags;
    image.repo_digests = row.repo_digests;
    image.config_json = TRY(blobs_.read(hex_part(row.id), kMaxDocument));
    if (sha256_of(image.config_json).str() != row.id)
        return Error::invalid("config of image " + row.id + " is damaged");
    image.config = TRY(parse_config(image.config_json)).config;
    image.size = image.config_json.size();
    std::set<std::string> counted;
    for (const LayerRow& layer : row.layers) {
        image.layers.push_back(layer.diff_id);
        if (counted.insert(layer.key).second) image.size += layer.bytes;
    }
    return image;
}

Status StoreState::reload() {
    auto rows = TRY(catalog_.images());
    std::vector<Image> images;
    images.reserve(rows.size());
    for (const ImageRow& row : rows) images.push_back(TRY(image_of(row)));
    rows_ = std::move(rows);
    images_ = std::make_shared<const std::vector<Image>>(std::move(images));
    return ok();
}

Result<std::optional<LayerRow>> StoreState::reuse_layer(const std::string& key, const std::string& owner) {
    const std::lock_guard lock(mutex_);
    auto layer = TRY(catalog_.layer(key));
    if (layer) TRY(catalog_.pin(owner, {key}));
    return layer;
}

Status StoreState::commit_layers(const Dir& from, std::vector<std::pair<std::string, LayerRow>>& layers,
                                 const std::string& owner) {
    const std::lock_guard lock(mutex_);
    std::vector<LayerRow> added;
    std::vector<std::string> known;
    for (auto& [name, layer] : layers) {
        const bool twice = std::any_of(added.begin(), added.end(),
                                       [&key = layer.key](const LayerRow& row) { return row.key == key; });
        if (twice) continue;
        if (auto row = TRY(catalog_.layer(layer.key))) {
            layer = std::move(*row);
            known.push_back(layer.key);
            continue;
        }
        if (renameat(from.fd(), name.c_str(), layers_.fd(), layer.key.c_str()) != 0)
            return Error::sys("rename layer " + layer.key);
        added.push_back(layer);
    }
    if (fsync(layers_.fd()) != 0) return Error::sys("fsync " + layers_.path());
    return catalog_.add_layers(added, known, owner);
}

Result<Image> StoreState::put_image(ImageRow image,
                                    const std::vector<std::pair<Digest, std::string>>& documents) {
    const std::lock_guard lock(mutex_);
    for (const auto& [digest, content] : documents) {
        TRY(blobs_.write_atomic(hex_of(digest), content, 0600));
        image.blobs.push_back(digest.str());
    }
    TRY(catalog_.put_image(image));
    TRY(reload());
    for (const Image& known : *images_) {
        if (known.id == image.id) return known;
    }
    return Error::failed("image " + image.id + " is not in the catalog after it was stored");
}

Result<std::vector<std::string>> StoreState::take_unused() {
    std::vector<std::string> names;
    for (const std::string& key : TRY(catalog_.take_unused_layers())) {
        const std::string name = "removed-" + random_uuid();
        if (renameat(layers_.fd(), key.c_str(), ingest_.fd(), name.c_str()) == 0)
            names.push_back(name);
        else if (errno != ENOENT)
            return Error::sys("rename layer " + key);
    }
    return names;
}

Status StoreState::discard(const std::vector<std::string>& names) {
    for (const std::string& name : names) TRY(ingest_.remove_tree(name));
    return ok();
}

Status StoreState::collect_blobs() {
    std::set<std::string> keep;
    for (const std::string& digest : TRY(catalog_.blobs())) keep.insert(hex_part(digest));
    for (const std::string& name : TRY(blobs_.list())) {
        if (!keep.contains(name)) TRY(blobs_.unlink(name));
    }
    return ok();
}

Status StoreState::remove_image(const std::string& id) {
    std::vector<std::string> dead;
    {
        const std::lock_guard lock(mutex_);
        TRY(catalog_.remove_image(id));
        TRY(reload());
        TRY(collect_blobs());
        dead = TRY(take_unused());
    }
    return discard(dead);
}

Result<std::vector<std::string>> StoreState::pin_image(const std::string& id, const std::string& owner) {
    const std::lock_guard lock(mutex_);
    const auto row =
        std::find_if(rows_.begin(), rows_.end(), [&](const ImageRow& image) { return image.id == id; });
    if (row == rows_.end()) return Error::not_found("no image " + id);
    std::vector<std::string> keys;
    for (auto layer = row->layers.rbegin(); layer != row->layers.rend(); ++layer) {
        // Some images repeat a layer. overlayfs refuses a directory twice, and the lower one is wholly
        // covered by its equal above.
        if (std::find(keys.begin(), keys.end(), layer->key) == keys.end()) keys.push_back(layer->key);
        if (layer->root_opaque) break;
    }
    TRY(catalog_.pin(owner, keys));
    return keys;
}

Status StoreState::unpin(const std::string& owner) {
    std::vector<std::string> dead;
    {
        const std::lock_guard lock(mutex_);
        TRY(catalog_.unpin(owner));
        dead = TRY(take_unused());
    }
    return discard(dead);
}

Result<std::vector<std::string>> StoreState::pin_owners() {
    const std::lock_guard lock(mutex_);
    auto owners = TRY(catalog_.pin_owners());
    std::erase_if(owners, [](const std::string& owner) { return owner.starts_with(kImportOwner); });
    return owners;
}

Result<DiskUsage> StoreState::usage() {
    // Layers never change: what they take was measured when they were committed.
    DiskUsage total = TRY(measure_one(root_, "."));
    {
        const std::lock_guard lock(mutex_);
        for (const LayerRow& layer : TRY(catalog_.layers())) {
            total.bytes += layer.bytes;
            total.inodes += layer.inodes;
        }
    }
    for (const std::string& name : TRY(root_.list())) {
        const DiskUsage part = TRY(name == "layers" ? measure_one(root_, name) : measure_tree(root_, name));
        total.bytes += part.bytes;
        total.inodes += part.inodes;
    }
    return total;
}

}  // namespace orlop::images
