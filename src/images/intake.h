// Layers on their way into the store, from an archive or a registry: a directory in ingest/ and pins of the
// layers that are there already. Both end with it, so that what did not become part of an image goes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "images/state.h"
#include "images/stream.h"
#include "images/unpack.h"

namespace orlop::images {

struct LayerInput {
    ByteStream& bytes;              // compressed or not
    std::optional<Digest> digest;   // of it
    std::optional<Digest> diff_id;  // of the tar in it
    bool layer = true;              // UnpackOptions::layer
    bool large = true;              // worth a thread of its own for the decompression
};

// Unpacked in the intake's directory, not in the store yet.
struct StagedLayer {
    std::string name;
    Unpacked unpacked;
};

// One layer of an image: in the store already, or staged.
struct LayerSlot {
    Digest diff_id;
    std::optional<LayerRow> row;
    std::optional<StagedLayer> staged;
};

// Its functions may be called by several threads at once.
class Intake {
  public:
    static Result<std::unique_ptr<Intake>> begin(StoreState& state);
    Intake(const Intake&) = delete;
    Intake& operator=(const Intake&) = delete;
    ~Intake();

    const Dir& dir() const { return dir_; }

    // A layer that the store has and that may stand on `below` (a chain id); pinned from now on.
    Result<std::optional<LayerRow>> find(const Digest& diff_id, const std::optional<Digest>& below) const;
    // Decompresses, unpacks and verifies. It needs no layer below: what a layer takes over from there
    // comes with commit().
    Result<StagedLayer> stage(const LayerInput& input, std::function<void(uint64_t)> on_bytes) const;
    // Brings the staged layers into the store, durably and all at once, and fills `row` of each slot. `slots`
    // are all layers of an image, lowest first.
    Status commit(std::vector<LayerSlot>& slots) const;
    // Of those, what depends on no other layer; the rest stays staged.
    Status commit_independent(std::vector<LayerSlot>& slots) const;
    Result<Image> put_image(ImageRow image,
                            const std::vector<std::pair<Digest, std::string>>& documents) const;

  private:
    Intake(StoreState& state, const std::string& name, Dir dir);
    Status adopt(const std::vector<LayerSlot>& slots, size_t at) const;
    Status store(std::vector<LayerSlot>& slots, const std::vector<size_t>& which) const;

    StoreState& state_;
    std::string name_, owner_;
    Dir dir_;
};

// The identity of the lowest `count` of these layers.
std::optional<Digest> chain_of(const std::vector<LayerSlot>& slots, size_t count);

}  // namespace orlop::images
