#include "images/intake.h"

#include <unistd.h>

#include "base/strong.h"
#include "images/archive.h"
#include "images/disk_usage.h"
#include "images/layer_writer.h"
#include "images/read_ahead.h"

namespace orlop::images {

namespace {

constexpr uint64_t kMaxBlob = 1ull << 40;

std::string chained_key(const Digest& diff_id, const std::optional<Digest>& below) {
    return hex_of(diff_id) + "." + hex_of(chain_id(below, diff_id)).substr(0, 16);
}

Result<Unpacked> unpack_into(const Dir& dir, const LayerInput& input,
                             std::function<void(uint64_t)> on_bytes) {
    HashingStream hashed(input.bytes, kMaxBlob, std::move(on_bytes));
    const auto plain = TRY(Decompressor::open(hashed));
    const UnpackOptions options{{}, input.layer, UnpackLimits()};
    std::optional<ReadAhead> ahead;
    if (input.large) ahead.emplace(*plain);
    Unpacked unpacked = TRY(unpack_layer(ahead ? static_cast<ByteStream&>(*ahead) : *plain, dir, options));
    ahead.reset();
    TRY(hashed.drain());
    if (input.digest) {
        if (const Digest actual = hashed.digest(); actual != *input.digest)
            return Error::invalid("the layer's file is " + actual.str() + ", not " + input.digest->str());
    }
    if (input.diff_id && unpacked.diff_id != *input.diff_id)
        return Error::invalid("the layer's content is " + unpacked.diff_id.str() +
                              ", not the DiffID of the config");
    return unpacked;
}

}  // namespace

std::optional<Digest> chain_of(const std::vector<LayerSlot>& slots, size_t count) {
    std::optional<Digest> chain;
    for (size_t i = 0; i < count; ++i) chain = chain_id(chain, slots[i].diff_id);
    return chain;
}

Intake::Intake(StoreState& state, const std::string& name, Dir dir)
    : state_(state), name_(name), owner_(kImportOwner + name), dir_(std::move(dir)) {}

Result<std::unique_ptr<Intake>> Intake::begin(StoreState& state) {
    const std::string name = random_uuid();
    return std::unique_ptr<Intake>(new Intake(state, name, TRY(state.ingest().make_dir(name, 0700))));
}

Intake::~Intake() {
    // What fails to go now goes when the store is opened next.
    (void)state_.unpin(owner_);
    (void)state_.ingest().remove_tree(name_);
}

Result<std::optional<LayerRow>> Intake::find(const Digest& diff_id,
                                             const std::optional<Digest>& below) const {
    if (auto layer = TRY(state_.reuse_layer(hex_of(diff_id), owner_))) return layer;
    return state_.reuse_layer(chained_key(diff_id, below), owner_);
}

Result<StagedLayer> Intake::stage(const LayerInput& input, std::function<void(uint64_t)> on_bytes) const {
    const std::string name = "layer-" + random_uuid();
    const Dir dir = TRY(dir_.make_dir(name, 0700));
    auto unpacked = unpack_into(dir, input, std::move(on_bytes));
    if (unpacked) return StagedLayer{name, std::move(*unpacked)};
    // The next attempt needs the space.
    (void)dir_.remove_tree(name);
    return std::move(unpacked).error();
}

// What the layer's tar has no entry for, it takes over from the layers below.
Status Intake::adopt(const std::vector<LayerSlot>& slots, size_t at) const {
    std::vector<std::string> lowers;
    for (size_t i = at; i-- > 0;) {
        const LayerSlot& slot = slots[i];
        lowers.push_back(slot.row ? state_.layer_path(slot.row->key) : dir_.path() + "/" + slot.staged->name);
        if (slot.row ? slot.row->root_opaque : slot.staged->unpacked.root_opaque) break;
    }
    const StagedLayer& layer = *slots[at].staged;
    return adopt_parents(TRY(dir_.open_dir(layer.name)), lowers, layer.unpacked.from_below);
}

Status Intake::store(std::vector<LayerSlot>& slots, const std::vector<size_t>& which) const {
    if (which.empty()) return ok();
    // One syncfs(2) instead of a million fsync(2): all of it is on the disk before it gets its name.
    if (syncfs(dir_.fd()) != 0) return Error::sys("syncfs");
    std::vector<std::pair<std::string, LayerRow>> ready;
    for (const size_t i : which) {
        const LayerSlot& slot = slots[i];
        const Unpacked& unpacked = slot.staged->unpacked;
        const DiskUsage usage = TRY(measure_tree(dir_, slot.staged->name));
        const std::string key =
            unpacked.implied_parents ? chained_key(slot.diff_id, chain_of(slots, i)) : hex_of(slot.diff_id);
        ready.emplace_back(slot.staged->name, LayerRow{key, slot.diff_id.str(), usage.bytes, usage.inodes,
                                                       unpacked.root_opaque});
    }
    TRY(state_.commit_layers(dir_, ready, owner_));
    for (size_t i = 0; i < which.size(); ++i) {
        slots[which[i]].row = ready[i].second;
        slots[which[i]].staged.reset();
    }
    return ok();
}

Status Intake::commit_independent(std::vector<LayerSlot>& slots) const {
    std::vector<size_t> which;
    for (size_t i = 0; i < slots.size(); ++i) {
        if (slots[i].staged && !slots[i].staged->unpacked.implied_parents) which.push_back(i);
    }
    return store(slots, which);
}

Status Intake::commit(std::vector<LayerSlot>& slots) const {
    std::vector<size_t> which;
    for (size_t i = 0; i < slots.size(); ++i) {
        if (!slots[i].staged) continue;
        which.push_back(i);
        TRY(adopt(slots, i).under("layer " + slots[i].diff_id.str()));
    }
    return store(slots, which);
}

Result<Image> Intake::put_image(ImageRow image,
                                const std::vector<std::pair<Digest, std::string>>& documents) const {
    return state_.put_image(std::move(image), documents);
}

}  // namespace orlop::images
