#include "images/importer.h"

#include <sys/stat.h>

#include <filesystem>
#include <optional>

#include "images/config.h"
#include "images/intake.h"
#include "images/plan.h"
#include "images/source.h"
#include "images/tree_stream.h"

namespace orlop::images {

namespace {

constexpr uint64_t kProgressStep = 1u << 20;

class Import {
  public:
    Import(const Intake& intake, const OnProgress& progress) : intake_(intake), progress_(progress) {}

    void report(const std::string& stage, const std::string& layer, uint64_t done, uint64_t total) const {
        if (progress_) progress_({stage, layer, done, total});
    }

    // `size`: of the input, 0 = not known.
    Result<StagedLayer> stage(const LayerInput& input, uint64_t size) const {
        const std::string label = input.diff_id ? input.diff_id->str() : "";
        uint64_t reported = 0;
        return intake_.stage(input, [&, size](uint64_t done) {
            if (done - reported < kProgressStep && done != size) return;
            reported = done;
            report("unpack", label, done, size);
        });
    }

    const Intake& intake() const { return intake_; }

  private:
    const Intake& intake_;
    const OnProgress& progress_;
};

std::vector<LayerRow> rows_of(const std::vector<LayerSlot>& slots) {
    std::vector<LayerRow> rows;
    for (const LayerSlot& slot : slots) rows.push_back(*slot.row);
    return rows;
}

Result<Image> import_plan(const Import& import, const Source& source, const ImagePlan& plan) {
    std::vector<LayerSlot> slots;
    for (const LayerPlan& layer : plan.layers) {
        const auto below = chain_of(slots, slots.size());
        LayerSlot slot{layer.diff_id, TRY(import.intake().find(layer.diff_id, below)), std::nullopt};
        if (!slot.row) {
            const auto bytes = TRY(source.open(layer.file));
            const LayerInput input{*bytes, layer.digest, layer.diff_id};
            slot.staged = TRY(import.stage(input, layer.size).under("layer " + layer.diff_id.str()));
        }
        slots.push_back(std::move(slot));
    }
    TRY(import.intake().commit(slots));
    return import.intake().put_image({plan.id.str(), plan.repo_tags, plan.repo_digests, {}, rows_of(slots)},
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
    const auto intake = TRY(Intake::begin(state));
    const Import import(*intake, progress);
    import.report("read", "", 0, 0);
    const auto source = TRY(open_source(path, intake->dir()).under(path));
    const auto plans = TRY(plan_import(*source, reference, Platform::host()).under(path));
    std::vector<Image> images;
    images.reserve(plans.size());
    for (const ImagePlan& plan : plans) images.push_back(TRY(import_plan(import, *source, plan).under(path)));
    import.report("done", "", 0, 0);
    return images;
}

Result<Image> import_rootfs(StoreState& state, const RootfsImport& request, const OnProgress& progress) {
    const Reference reference = TRY(Reference::parse(request.reference));
    if (!reference.digest.empty())
        return Error::invalid("\"" + request.reference + "\": a root filesystem has no digest to name it by");
    const auto intake = TRY(Intake::begin(state));
    const Import import(*intake, progress);
    import.report("read", "", 0, 0);
    const RootfsSource source = TRY(open_rootfs(state, request.path));
    StagedLayer staged = TRY(
        import.stage({*source.bytes, std::nullopt, std::nullopt, false}, source.size).under(request.path));
    const Digest diff_id = staged.unpacked.diff_id;
    std::vector<LayerSlot> slots;
    slots.push_back({diff_id, TRY(intake->find(diff_id, std::nullopt)), std::nullopt});
    if (!slots.front().row) slots.front().staged = std::move(staged);
    TRY(intake->commit(slots));
    const std::string config = make_config(request, diff_id, Platform::host());
    const Digest id = sha256_of(config);
    // What parse_config() refuses must not get into the store: it would be dropped at the next start.
    TRY(parse_config(config));
    Image image =
        TRY(intake->put_image({id.str(), {reference.str()}, {}, {}, rows_of(slots)}, {{id, config}}));
    import.report("done", diff_id.str(), source.size, source.size);
    return image;
}

}  // namespace orlop::images
