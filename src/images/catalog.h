// The tables of images.db: which images, names, layers and pins there are.
//
//   images ─┬─ refs          a tag or digest reference belongs to one image
//           ├─ image_blobs   files of blobs/ it keeps
//           └─ image_layers ─── layers ─── pins (owner)
//
// A layer stays as long as an image or a pin has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "images/database.h"

namespace orlop::images {

struct LayerRow {
    std::string key;  // name of its directory in layers/
    std::string diff_id;
    uint64_t bytes = 0, inodes = 0;  // on disk
    bool root_opaque = false;        // nothing below it shows
};

struct ImageRow {
    std::string id;
    std::vector<std::string> repo_tags, repo_digests;
    std::vector<std::string> blobs;  // digests
    std::vector<LayerRow> layers;    // lowest first
};

class Catalog {
  public:
    // Makes or checks the schema; a newer one than ours is refused.
    static Result<Catalog> open(const std::string& path);

    Result<std::vector<ImageRow>> images();  // by id
    Result<std::optional<LayerRow>> layer(const std::string& key);
    Result<std::vector<LayerRow>> layers();
    Result<std::vector<std::string>> blobs();  // digests that images keep

    // Adds the layers and pins them and the known ones (keys) for `owner`.
    Status add_layers(const std::vector<LayerRow>& layers, const std::vector<std::string>& known,
                      const std::string& owner);
    // Adds the image or gives it the further names; names of other images move to it. Only the keys of
    // its layers are read.
    Status put_image(const ImageRow& image);
    Status remove_image(const std::string& id);
    // Deletes the rows of layers that neither an image nor a pin has; their keys.
    Result<std::vector<std::string>> take_unused_layers();
    // Deletes a layer, its pins and the images that have it.
    Status drop_layer(const std::string& key);

    Status pin(const std::string& owner, const std::vector<std::string>& keys);
    Status unpin(const std::string& owner);
    Status unpin_prefix(const std::string& prefix);
    Result<std::vector<std::string>> pin_owners();

  private:
    explicit Catalog(Database db) : db_(std::move(db)) {}
    Status migrate();
    Status add_names(const std::string& id, const std::vector<std::string>& names, bool digests);
    Result<std::vector<std::string>> column(const std::string& sql);
    Status run(const std::string& sql, const std::vector<std::string>& values);
    Database db_;
};

}  // namespace orlop::images
