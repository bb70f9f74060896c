#include "images/store.h"

#include <mutex>

#include "images/importer.h"
#include "images/intake.h"
#include "images/lookup.h"
#include "images/state.h"

namespace orlop::images {

namespace {

class DiskStore final : public Store {
  public:
    explicit DiskStore(std::unique_ptr<StoreState> state) : state_(std::move(state)) {}

    Result<std::vector<Image>> import_archive(const std::string& path, const std::string& reference,
                                              const OnProgress& progress) override {
        const std::lock_guard lock(import_mutex_);
        return images::import_archive(*state_, path, reference, progress);
    }

    Result<Image> import_rootfs(const RootfsImport& request, const OnProgress& progress) override {
        const std::lock_guard lock(import_mutex_);
        return images::import_rootfs(*state_, request, progress);
    }

    Result<std::unique_ptr<Intake>> intake() override { return Intake::begin(*state_); }

    Result<std::vector<Image>> list() const override { return *state_->images(); }

    Result<std::optional<Image>> find(const std::string& reference) const override {
        const auto images = state_->images();
        const auto at = TRY(find_image(*images, reference));
        if (!at) return std::optional<Image>();
        return std::optional((*images)[*at]);
    }

    Status remove(const std::string& reference) override {
        const auto image = TRY(find(reference));
        return image ? state_->remove_image(image->id) : ok();
    }

    Result<std::vector<std::string>> pin_layers(const std::string& image_id,
                                                const std::string& owner) override {
        if (owner.empty() || owner.starts_with(kImportOwner))
            return Error::invalid("\"" + owner + "\" cannot own a pin");
        const auto image = TRY(find(image_id));
        if (!image) return Error::not_found("no image \"" + image_id + "\"");
        std::vector<std::string> paths;
        for (const std::string& key : TRY(state_->pin_image(image->id, owner)))
            paths.push_back(state_->layer_path(key));
        return paths;
    }

    Status unpin_layers(const std::string& owner) override {
        if (owner.starts_with(kImportOwner)) return Error::invalid("\"" + owner + "\" cannot own a pin");
        return state_->unpin(owner);
    }

    Result<std::vector<std::string>> pin_owners() const override { return state_->pin_owners(); }
    Result<DiskUsage> usage() const override { return state_->usage(); }
    Result<Verified> verify() const override { return state_->verify(); }
    const std::string& root() const override { return state_->root().path(); }

  private:
    std::unique_ptr<StoreState> state_;
    std::mutex import_mutex_;
};

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::string& root) {
    return std::unique_ptr<Store>(std::make_unique<DiskStore>(TRY(StoreState::open(root))));
}

}  // namespace orlop::images
