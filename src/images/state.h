// The store's directories, its catalog and what is known about images in memory, behind one lock. Every
// change is on the disk before the call returns; what a crash leaves is repaired by open().
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/dir.h"
#include "images/catalog.h"
#include "images/digest.h"
#include "images/store.h"

namespace orlop::images {

// Pins whose owner starts with this belong to a running import.
inline constexpr const char* kImportOwner = "import:";
// Of a running verify(); ends as those do.
inline constexpr const char* kVerifyOwner = "import:verify";

class StoreState {
  public:
    static Result<std::unique_ptr<StoreState>> open(const std::string& root);

    const Dir& root() const { return root_; }
    const Dir& ingest() const { return ingest_; }
    std::string layer_path(const std::string& key) const { return layers_.path() + "/" + key; }
    // As of now; by id.
    std::shared_ptr<const std::vector<Image>> images() const;

    // The layer, now pinned for `owner`, if it is there.
    Result<std::optional<LayerRow>> reuse_layer(const std::string& key, const std::string& owner);
    // Moves unpacked and synced directories (names in `from`) to layers/ and pins them, all or none. What is
    // there already under the same key is pinned instead, and its row takes the place of the given one.
    Status commit_layers(const Dir& from, std::vector<std::pair<std::string, LayerRow>>& layers,
                         const std::string& owner);
    // Stores the documents and then the image; with the further names of an image that is there already.
    Result<Image> put_image(ImageRow image, const std::vector<std::pair<Digest, std::string>>& documents);
    Status remove_image(const std::string& id);
    // Keys of the image's layers, highest first, each once, pinned. NotFound if there is no such image.
    Result<std::vector<std::string>> pin_image(const std::string& id, const std::string& owner);
    Status unpin(const std::string& owner);
    Result<std::vector<std::string>> pin_owners();
    Result<DiskUsage> usage();
    Result<Verified> verify();

  private:
    StoreState(UniqueFd lock, Dir root, Dir layers, Dir blobs, Dir ingest, Catalog catalog)
        : lock_(std::move(lock)),
          root_(std::move(root)),
          layers_(std::move(layers)),
          blobs_(std::move(blobs)),
          ingest_(std::move(ingest)),
          catalog_(std::move(catalog)) {}

    Result<std::vector<std::string>> check_layer(const LayerRow& layer) const;

    // All of these with mutex_ held.
    Status repair();
    Status reload();
    Result<Image> image_of(const ImageRow& row) const;
    Status collect_blobs();
    // Takes unused layers out of the catalog and away; where they now wait in ingest/ to be deleted.
    Result<std::vector<std::string>> take_unused();

    // Without it: deleting a big layer takes long.
    Status discard(const std::vector<std::string>& names);

    UniqueFd lock_;
    Dir root_, layers_, blobs_, ingest_;
    mutable std::mutex mutex_;
    // The rest is guarded by mutex_.
    Catalog catalog_;
    std::vector<ImageRow> rows_;
    std::shared_ptr<const std::vector<Image>> images_;
};

}  // namespace orlop::images
