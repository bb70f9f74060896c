#include <map>

#include "runtime/core/cri/image_service.h"
#include "runtime/core/cri/serve.h"

namespace orlop::core {

namespace {

using Writer = grpc::ServerWriter<orlop::v1::ImportProgress>;

constexpr Nanos kEvery = std::chrono::milliseconds(100);

// The store reports every block; a client is told of new stages and layers, of what is whole, and of each ten
// times a second.
class ProgressWriter {
  public:
    explicit ProgressWriter(Writer& writer) : writer_(writer) {}

    void operator()(const images::Progress& progress) {
        const Nanos now = SystemClock().monotonic();
        if (progress.stage == "done") return;
        // Several layers may be on their way at once.
        const auto [at, news] = last_.try_emplace(progress.stage + progress.layer, now);
        const bool whole = progress.total > 0 && progress.done == progress.total;
        if (!news && !whole && now - at->second < kEvery) return;
        at->second = now;
        orlop::v1::ImportProgress message;
        const bool layer = progress.stage == "unpack" || progress.stage == "download";
        message.set_stage(layer ? "layer" : progress.stage);
        message.set_layer(progress.layer);
        message.set_done_bytes(progress.done);
        message.set_total_bytes(progress.total);
        // A client that left does not stop the import: what is there is there.
        writer_.Write(message);
    }

  private:
    Writer& writer_;
    std::map<std::string, Nanos> last_;  // when something was said of it
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

orlop::v1::ImportProgress last_message(const std::vector<images::Image>& images) {
    orlop::v1::ImportProgress last;
    last.set_stage("done");
    for (const images::Image& image : images) {
        auto* out = last.add_images();
        out->set_id(image.id);
        for (const auto& tag : image.repo_tags) out->add_references(tag);
        for (const auto& digest : image.repo_digests) out->add_references(digest);
    }
    return last;
}

}  // namespace

grpc::Status NodeImages::Import(grpc::ServerContext*, const orlop::v1::ImportRequest* request,
                                Writer* writer) {
    return serve("Import", [&]() -> Status {
        ProgressWriter progress(*writer);
        const auto imported = TRY(import(store_, *request, [&](const images::Progress& p) { progress(p); }));
        writer->Write(last_message(imported));
        return ok();
    });
}

grpc::Status NodeImages::Pull(Context* context, const orlop::v1::PullRequest* request, Progress* writer) {
    grpc::Status answer;
    (void)serve("Pull", [&]() -> Status {
        ProgressWriter progress(*writer);
        const WatchedPull pull = pull_watched(
            puller_, {request->reference(), {request->username(), request->password(), "", ""}, ""},
            [&](const images::Progress& p) { progress(p); }, *context);
        answer = pull_status(pull, *context);
        if (!pull.image) return pull.image.error();
        writer->Write(last_message({*pull.image}));
        return ok();
    });
    return answer;
}

grpc::Status NodeImages::Verify(Context*, const orlop::v1::VerifyRequest*,
                                orlop::v1::VerifyResponse* response) {
    return serve("Verify", [&]() -> Status {
        const images::Verified verified = TRY(store_.verify());
        response->set_images(verified.images);
        response->set_layers(verified.layers);
        for (const std::string& problem : verified.problems) response->add_problems(problem);
        return ok();
    });
}

}  // namespace orlop::core
