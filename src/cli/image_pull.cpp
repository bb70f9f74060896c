#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/cri_client.h"
#include "cli/import_progress.h"
#include "cli/progress.h"
#include "cli/table.h"

namespace orlop::cli {

namespace {

constexpr Nanos kConnect = std::chrono::seconds(2);
constexpr Nanos kPull = std::chrono::hours(12);

}  // namespace

Result<int> image_pull(const Common& common, const PullOptions& options) {
    v1::PullRequest request;
    request.set_reference(options.reference);
    if (const size_t colon = options.credentials.find(':'); colon != std::string::npos) {
        request.set_username(options.credentials.substr(0, colon));
        request.set_password(options.credentials.substr(colon + 1));
    }
    const CriClient client = TRY(CriClient::connect(common.runtime_endpoint(), kConnect));
    grpc::ClientContext context;
    set_deadline(context, kPull);
    Display display;
    ImportProgressLines lines(display.on_terminal());
    v1::ImportProgress last;
    const auto stream = client.node_images().Pull(&context, request);
    for (v1::ImportProgress progress; stream->Read(&progress);) {
        display.show(lines.after(progress));
        if (progress.images_size() > 0) last = progress;
    }
    display.clear();
    if (const grpc::Status status = stream->Finish(); !status.ok()) return error_of(status);
    for (const auto& image : last.images())
        std::printf("pulled %s (%s)\n", printable(options.reference).c_str(), short_id(image.id()).c_str());
    return 0;
}

}  // namespace orlop::cli
