#include "runtime/core/cri/image_service.h"
#include "runtime/core/cri/serve.h"

namespace orlop::core {

namespace {

using Writer = grpc::ServerWriter<orlop::v1::ImportProgress>;

constexpr Nanos kEvery = std::chrono::milliseconds(100);

// The store reports every block; a client is told of new stages and layers, and ten times a second.
class ProgressWriter {
  public:
    explicit ProgressWriter(Writer& writer) : writer_(writer) {}

    void operator()(const images::Progress& progress) {
        const Nanos now = SystemClock().monotonic();
        const bool news = progress.stage != stage_ || progress.layer != layer_;
        if (progress.stage == "done" || (!news && now - last_ < kEvery)) return;
        stage_ = progress.stage;
        layer_ = progress.layer;
        last_ = now;
        orlop::v1::ImportProgress message;
        message.set_stage(progress.stage == "unpack" ? "layer" : progress.stage);
        message.set_layer(progress.layer);
        message.set_done_bytes(progress.done);
        message.set_total_bytes(progress.total);
        // A client that left does not stop the import: what is there is there.
        writer_.Write(message);
    }

  private:
    Writer& writer_;
    std::string stage_, layer_;
    Nanos last_{0};
};

Status absolute(const std::string& field, const std::string& path) {
    if (path.starts_with('/')) return ok();
    return Error::invalid(field + " \"" + path + "\" is not an absolute path");
}

Result<std::vector<images::Image>> import(images::Store& store, const orlop::v1::ImportRequest& request,
                                          const images::OnProgress& progress) {
    using Request = orlop::v1::ImportRequest;
    if (request.source_case() == Request::kArchivePath) {
        TRY(absolute("archive_path", request.archive_path()));
        return store.import_archive(request.archive_path(), request.reference(), progress);
    }
    if (request.source_case() != Request::kRootfs)
        return Error::invalid("neither archive_path nor rootfs is given");
    TRY(absolute("rootfs.path", request.rootfs().path()));
    if (request.reference().empty())
        return Error::invalid("reference is empty: a rootfs has no name of its own");
    const images::RootfsImport rootfs{
        .path = request.rootfs().path(),
        .reference = request.reference(),
        .entrypoint = {request.entrypoint().begin(), request.entrypoint().end()},
        .cmd = {request.cmd().begin(), request.cmd().end()},
        .env = {request.env().begin(), request.env().end()},
        .working_dir = request.working_dir(),
        .user = request.user()};
    std::vector<images::Image> imported;
    imported.push_back(TRY(store.import_rootfs(rootfs, progress)));
    return imported;
}

}  // namespace

grpc::Status NodeImages::Import(grpc::ServerContext*, const orlop::v1::ImportRequest* request,
                                Writer* writer) {
    return serve("Import", [&]() -> Status {
        ProgressWriter progress(*writer);
        const auto imported = TRY(import(store_, *request, [&](const images::Progress& p) { progress(p); }));
        orlop::v1::ImportProgress last;
        last.set_stage("done");
        for (const images::Image& image : imported) {
            auto* out = last.add_images();
            out->set_id(image.id);
            for (const auto& tag : image.repo_tags) out->add_references(tag);
            for (const auto& digest : image.repo_digests) out->add_references(digest);
        }
        writer->Write(last);
        return ok();
    });
}

}  // namespace orlop::core
