#include "images/importer.h"

#include <sys/stat.h>

#include <filesystem>
#include <optional>

#include "base/strong.h"
#include "images/archive.h"
#include "images/config.h"
#include "images/disk_usage.h"
#include "images/plan.h"
#include "images/source.h"
#include "images/tree_stream.h"
#include "images/unpack.h"

namespace orlop::images {

namespace {

constexpr uint64_t kMaxBlob = 1ull << 40;
constexpr uint64_t kProgressStep = 1u << 20;

// A directory in ingest/ and the pins of one import; both end with it.
class Ingest {
  public:
    static Result<std::unique_ptr<Ingest>> make(StoreState& state) {
        const std::string name = random_uuid();
        return std::unique_ptr<Ingest>(new Ingest(state, name, TRY(state.ingest().make_dir(name, 0700))));
    }
    Ingest(const Ingest&) = delete;
    Ingest& operator=(const Ingest&) = delete;
    ~Ingest() {
        // What fails to go now goes when the store is opened next.
        (void)state_.unpin(owner_);
        (void)state_.ingest().remove_tree(name_);
    }
    const Dir& dir() const { return dir_; }
    const std::string& owner() const { return owner_; }

  private:
    Ingest(StoreState& state, const std::string& name, Dir dir)
        : state_(state), name_(name), owner_(kImportOwner + name), dir_(std::move(dir)) {}
    StoreState& state_;
    std::string name_, owner_;
    Dir dir_;
};

// What lies below the layer that is imported next.
struct Stack {
    std::vector<LayerRow> layers;  // lowest first
    std::optional<Digest> chain;

    std::vector<std::string> lowers(const StoreState& state) const {
        std::vector<std::string> out;
        for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
            out.push_back(state.layer_path(layer->key));
            if (layer->root_opaque) break;
        }
        return out;
    }
    void push(const LayerRow& layer, const Digest& diff_id) {
        layers.push_back(layer);
        chain = chain_id(chain, diff_id);
    }
};

struct LayerInput {
    ByteStream& bytes;              // compressed or not
    uint64_t size;                  // of it, 0 = not known
    std::optional<Digest> digest;   // of it
    std::optional<Digest> diff_id;  // of the tar in it
    bool layer;                     // UnpackOptions::layer
};

std::string chained_key(const Digest& diff_id, const std::optional<Digest>& below) {
    return hex_of(diff_id) + "." + hex_of(chain_id(below, diff_id)).substr(0, 16);
}

class Import {
  public:
    Import(StoreState& state, const Ingest& ingest, const OnProgress& progress)
        : state_(state), ingest_(ingest), progress_(progress) {}

    void report(const std::string& stage, const std::string& layer, uint64_t done, uint64_t total) const {
        if (progress_) progress_({stage, layer, done, total});
    }

    // A layer that is there already, if it may stand on this stack.
    Result<std::optional<LayerRow>> reuse(const Digest& diff_id, const Stack& below) const {
        if (auto layer = TRY(state_.reuse_layer(hex_of(diff_id), ingest_.owner()))) return layer;
        return state_.reuse_layer(chained_key(diff_id, below.chain), ingest_.owner());
    }

    Result<std::pair<LayerRow, Digest>> unpack(const LayerInput& input, const Stack& below) const {
        const std::string name = "layer-" + random_uuid();
        const Dir dir = TRY(ingest_.dir().make_dir(name, 0700));
        const Unpacked unpacked = TRY(unpack_into(dir, input, below));
        if (input.diff_id && unpacked.diff_id != *input.diff_id)
            return Error::invalid("the layer's content is " + unpacked.diff_id.str() +
                                  ", not the DiffID of the config");
        // One syncfs(2) instead of a million fsync(2): all of it is on the disk before it gets its name.
        if (syncfs(dir.fd()) != 0) return Error::sys("syncfs");
        const DiskUsage usage = TRY(measure_tree(ingest_.dir(), name));
        const LayerRow row{
            unpacked.implied_parents ? chained_key(unpacked.diff_id, below.chain) : hex_of(unpacked.diff_id),
            unpacked.diff_id.str(), usage.bytes, usage.inodes, unpacked.root_opaque};
        auto known = TRY(state_.reuse_layer(row.key, ingest_.owner()));
        if (known) return std::pair(*known, unpacked.diff_id);
        TRY(state_.commit_layer(ingest_.dir(), name, row, ingest_.owner()));
        return std::pair(row, unpacked.diff_id);
    }

  private:
    Result<Unpacked> unpack_into(const Dir& dir, const LayerInput& input, const Stack& below) const {
        const std::string label = input.diff_id ? input.diff_id->str() : "";
        uint64_t reported = 0;
        HashingStream hashed(input.bytes, kMaxBlob, [&](uint64_t done) {
            if (done - reported < kProgressStep && done != input.size) return;
            reported = done;
            report("unpack", label, done, input.size);
        });
        const auto plain = TRY(Decompressor::open(hashed));
        const Unpacked unpacked =
            TRY(unpack_layer(*plain, dir, {below.lowers(state_), input.layer, UnpackLimits()}));
        TRY(hashed.drain());
        if (!input.digest) return unpacked;
        if (const Digest actual = hashed.digest(); actual != *input.digest)
            return Error::invalid("the layer's file is " + actual.str() + ", not " + input.digest->str());
        return unpacked;
    }

    StoreState& state_;
    const Ingest& ingest_;
    const OnProgress& progress_;
};

Result<Image> import_plan(StoreState& state, const Import& import, const Source& source,
                          const ImagePlan& plan) {
    Stack stack;
    for (const LayerPlan& layer : plan.layers) {
        auto row = TRY(import.reuse(layer.diff_id, stack));
        if (!row) {
            const auto bytes = TRY(source.open(layer.file));
            const LayerInput input{*bytes, layer.size, layer.digest, layer.diff_id, true};
            row = TRY(import.unpack(input, stack).under("layer " + layer.diff_id.str())).first;
        }
        stack.push(*row, layer.diff_id);
    }
    return state.put_image({plan.id.str(), plan.repo_tags, plan.repo_digests, {}, stack.layers},
                           plan.documents);
}

// A tree that holds the store would be copied into itself.
Status check_not_inside(const StoreState& state, const std::string& tree) {
    std::error_code error;
    const auto top = std::filesystem::canonical(tree, error);
    if (error) return Error::sys("resolve " + tree, error.value());
    auto at = std::filesystem::canonical(state.root().path(), error);
    if (error) return Error::sys("resolve " + state.root().path(), error.value());
    for (;; at = at.parent_path()) {
        if (at == top) return Error::invalid(tree + " contains the image store itself");
        if (at == at.parent_path()) return ok();
    }
}

struct RootfsSource {
    std::unique_ptr<ByteStream> bytes;
    uint64_t size = 0;
};

Result<RootfsSource> open_rootfs(const StoreState& state, const std::string& path) {
    UniqueFd fd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!fd) return Error::sys("open " + path);
    struct stat st {};
    if (fstat(fd.get(), &st) != 0) return Error::sys("stat " + path);
    if (S_ISDIR(st.st_mode)) {
        TRY(check_not_inside(state, path));
        return RootfsSource{TRY(TreeStream::open(path)), 0};
    }
    auto file = TRY(FileStream::make(std::move(fd)).under(path));
    const uint64_t size = file->size();
    return RootfsSource{std::move(file), size};
}

}  // namespace

Result<std::vector<Image>> import_archive(StoreState& state, const std::string& path,
                                          const std::string& reference, const OnProgress& progress) {
    const auto ingest = TRY(Ingest::make(state));
    const Import import(state, *ingest, progress);
    import.report("read", "", 0, 0);
    const auto source = TRY(open_source(path, ingest->dir()).under(path));
    const auto plans = TRY(plan_import(*source, reference, Platform::host()).under(path));
    std::vector<Image> images;
    images.reserve(plans.size());
    for (const ImagePlan& plan : plans)
        images.push_back(TRY(import_plan(state, import, *source, plan).under(path)));
    import.report("done", "", 0, 0);
    return images;
}

Result<Image> import_rootfs(StoreState& state, const RootfsImport& request, const OnProgress& progress) {
    const Reference reference = TRY(Reference::parse(request.reference));
    if (!reference.digest.empty())
        return Error::invalid("\"" + request.reference + "\": a root filesystem has no digest to name it by");
    const auto ingest = TRY(Ingest::make(state));
    const Import import(state, *ingest, progress);
    import.report("read", "", 0, 0);
    const RootfsSource source = TRY(open_rootfs(state, request.path));
    const LayerInput input{*source.bytes, source.size, std::nullopt, std::nullopt, false};
    const auto [layer, diff_id] = TRY(import.unpack(input, {}).under(request.path));
    const std::string config = make_config(request, diff_id, Platform::host());
    const Digest id = sha256_of(config);
    // What parse_config() refuses must not get into the store: it would be dropped at the next start.
    TRY(parse_config(config));
    Image image = TRY(state.put_image({id.str(), {reference.str()}, {}, {}, {layer}}, {{id, config}}));
    import.report("done", diff_id.str(), source.size, source.size);
    return image;
}

}  // namespace orlop::images
