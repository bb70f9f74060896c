#include "images/catalog.h"

#include <map>

namespace orlop::images {

namespace {

constexpr int64_t kSchema = 1;

constexpr const char* kTables = R"(
CREATE TABLE images (id TEXT PRIMARY KEY) STRICT;
CREATE TABLE refs (name TEXT PRIMARY KEY, is_digest INTEGER NOT NULL,
  image TEXT NOT NULL REFERENCES images ON DELETE CASCADE) STRICT;
CREATE INDEX refs_of_image ON refs (image);
CREATE TABLE image_blobs (image TEXT NOT NULL REFERENCES images ON DELETE CASCADE, digest TEXT NOT NULL,
  PRIMARY KEY (image, digest)) STRICT;
CREATE TABLE layers (key TEXT PRIMARY KEY, diff_id TEXT NOT NULL, bytes INTEGER NOT NULL,
  inodes INTEGER NOT NULL, root_opaque INTEGER NOT NULL) STRICT;
CREATE TABLE image_layers (image TEXT NOT NULL REFERENCES images ON DELETE CASCADE,
  position INTEGER NOT NULL, layer TEXT NOT NULL REFERENCES layers, PRIMARY KEY (image, position)) STRICT;
CREATE INDEX images_of_layer ON image_layers (layer);
CREATE TABLE pins (owner TEXT NOT NULL, layer TEXT NOT NULL REFERENCES layers,
  PRIMARY KEY (owner, layer)) STRICT;
CREATE INDEX pins_of_layer ON pins (layer);
PRAGMA user_version = 1;
)";

constexpr const char* kUnused =
    "key NOT IN (SELECT layer FROM image_layers) AND key NOT IN (SELECT layer FROM pins)";

LayerRow layer_row(const Statement& row, int first) {
    return {row.text(first), row.text(first + 1), static_cast<uint64_t>(row.number(first + 2)),
            static_cast<uint64_t>(row.number(first + 3)), row.number(first + 4) != 0};
}

}  // namespace

Result<Catalog> Catalog::open(const std::string& path) {
    Catalog catalog(TRY(Database::open(path)));
    TRY(catalog.migrate().under(path));
    return catalog;
}

Status Catalog::migrate() {
    int64_t version = 0;
    {
        Statement query = TRY(db_.prepare("PRAGMA user_version"));
        if (TRY(query.step())) version = query.number(0);
    }
    if (version == kSchema) return ok();
    if (version != 0)
        return Error::precondition("schema version " + std::to_string(version) + " is not ours (" +
                                   std::to_string(kSchema) + "): made by another version of Orlop");
    return db_.transaction([&] { return db_.exec(kTables); });
}

Result<std::vector<std::string>> Catalog::column(const std::string& sql) {
    Statement query = TRY(db_.prepare(sql));
    std::vector<std::string> out;
    while (TRY(query.step())) out.push_back(query.text(0));
    return out;
}

Status Catalog::run(const std::string& sql, const std::vector<std::string>& values) {
    Statement statement = TRY(db_.prepare(sql));
    int position = 0;
    for (const std::string& value : values) statement.bind(++position, value);
    return statement.run();
}

Result<std::vector<ImageRow>> Catalog::images() {
    std::map<std::string, ImageRow> rows;
    for (const std::string& id : TRY(column("SELECT id FROM images"))) rows[id].id = id;
    Statement refs = TRY(db_.prepare("SELECT image, name, is_digest FROM refs ORDER BY name"));
    while (TRY(refs.step())) {
        ImageRow& row = rows[refs.text(0)];
        (refs.number(2) != 0 ? row.repo_digests : row.repo_tags).push_back(refs.text(1));
    }
    Statement blobs = TRY(db_.prepare("SELECT image, digest FROM image_blobs ORDER BY digest"));
    while (TRY(blobs.step())) rows[blobs.text(0)].blobs.push_back(blobs.text(1));
    Statement layers = TRY(
        db_.prepare("SELECT image, key, diff_id, bytes, inodes, root_opaque FROM image_layers JOIN layers "
                    "ON key = layer ORDER BY image, position"));
    while (TRY(layers.step())) rows[layers.text(0)].layers.push_back(layer_row(layers, 1));
    std::vector<ImageRow> out;
    out.reserve(rows.size());
    for (auto& [id, row] : rows) out.push_back(std::move(row));
    return out;
}

Result<std::vector<LayerRow>> Catalog::layers() {
    Statement query = TRY(db_.prepare("SELECT key, diff_id, bytes, inodes, root_opaque FROM layers"));
    std::vector<LayerRow> out;
    while (TRY(query.step())) out.push_back(layer_row(query, 0));
    return out;
}

Result<std::optional<LayerRow>> Catalog::layer(const std::string& key) {
    Statement query =
        TRY(db_.prepare("SELECT key, diff_id, bytes, inodes, root_opaque FROM layers WHERE key = ?"));
    query.bind(1, key);
    if (!TRY(query.step())) return std::optional<LayerRow>();
    return std::optional(layer_row(query, 0));
}

Result<std::vector<std::string>> Catalog::blobs() {
    return column("SELECT DISTINCT digest FROM image_blobs");
}

Status Catalog::add_layers(const std::vector<LayerRow>& layers, const std::vector<std::string>& known,
                           const std::string& owner) {
    return db_.transaction([&]() -> Status {
        std::vector<std::string> keys = known;
        for (const LayerRow& layer : layers) {
            Statement insert = TRY(db_.prepare("INSERT INTO layers VALUES (?, ?, ?, ?, ?)"));
            insert.bind(1, layer.key).bind(2, layer.diff_id).bind(3, static_cast<int64_t>(layer.bytes));
            insert.bind(4, static_cast<int64_t>(layer.inodes)).bind(5, layer.root_opaque ? 1 : 0);
            TRY(insert.run());
            keys.push_back(layer.key);
        }
        for (const std::string& key : keys)
            TRY(run("INSERT OR IGNORE INTO pins VALUES (?, ?)", {owner, key}));
        return ok();
    });
}

Status Catalog::add_names(const std::string& id, const std::vector<std::string>& names, bool digests) {
    for (const std::string& name : names) {
        Statement insert = TRY(db_.prepare("INSERT OR REPLACE INTO refs VALUES (?, ?, ?)"));
        TRY(insert.bind(1, name).bind(2, digests ? 1 : 0).bind(3, id).run());
    }
    return ok();
}

Status Catalog::put_image(const ImageRow& image) {
    return db_.transaction([&]() -> Status {
        TRY(run("INSERT OR IGNORE INTO images VALUES (?)", {image.id}));
        TRY(add_names(image.id, image.repo_tags, false));
        TRY(add_names(image.id, image.repo_digests, true));
        for (const std::string& digest : image.blobs)
            TRY(run("INSERT OR IGNORE INTO image_blobs VALUES (?, ?)", {image.id, digest}));
        for (size_t i = 0; i < image.layers.size(); ++i) {
            Statement insert = TRY(db_.prepare("INSERT OR REPLACE INTO image_layers VALUES (?, ?, ?)"));
            insert.bind(1, image.id).bind(2, static_cast<int64_t>(i)).bind(3, image.layers[i].key);
            TRY(insert.run());
        }
        return ok();
    });
}

Status Catalog::remove_image(const std::string& id) {
    return run("DELETE FROM images WHERE id = ?", {id});
}

Result<std::vector<std::string>> Catalog::take_unused_layers() {
    std::vector<std::string> keys;
    TRY(db_.transaction([&]() -> Status {
        keys = TRY(column("SELECT key FROM layers WHERE " + std::string(kUnused)));
        return run("DELETE FROM layers WHERE " + std::string(kUnused), {});
    }));
    return keys;
}

Status Catalog::drop_layer(const std::string& key) {
    return db_.transaction([&]() -> Status {
        TRY(run("DELETE FROM images WHERE id IN (SELECT image FROM image_layers WHERE layer = ?)", {key}));
        TRY(run("DELETE FROM pins WHERE layer = ?", {key}));
        return run("DELETE FROM layers WHERE key = ?", {key});
    });
}

Status Catalog::pin(const std::string& owner, const std::vector<std::string>& keys) {
    return db_.transaction([&]() -> Status {
        for (const std::string& key : keys)
            TRY(run("INSERT OR IGNORE INTO pins VALUES (?, ?)", {owner, key}));
        return ok();
    });
}

Status Catalog::unpin(const std::string& owner) {
    return run("DELETE FROM pins WHERE owner = ?", {owner});
}

Status Catalog::unpin_prefix(const std::string& prefix) {
    return run("DELETE FROM pins WHERE substr(owner, 1, length(?1)) = ?1", {prefix});
}

Result<std::vector<std::string>> Catalog::pin_owners() {
    return column("SELECT DISTINCT owner FROM pins ORDER BY owner");
}

}  // namespace orlop::images
