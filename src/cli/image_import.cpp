#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/cri_client.h"
#include "cli/import_progress.h"
#include "cli/progress.h"

namespace orlop::cli {

namespace {

constexpr Nanos kConnect = std::chrono::seconds(2);
constexpr Nanos kImport = std::chrono::hours(2);

// The runtime has another working directory.
Result<std::string> absolute(const std::string& path) {
    char out[PATH_MAX];
    if (realpath(path.c_str(), out) == nullptr) return Error::sys(path);
    return std::string(out);
}

Result<v1::ImportRequest> request_of(const ImportOptions& options) {
    v1::ImportRequest request;
    if (options.rootfs.empty()) {
        request.set_archive_path(TRY(absolute(options.file)));
    } else {
        request.mutable_rootfs()->set_path(TRY(absolute(options.rootfs)));
    }
    request.set_reference(options.reference);
    request.mutable_entrypoint()->Add(options.entrypoint.begin(), options.entrypoint.end());
    request.mutable_cmd()->Add(options.cmd.begin(), options.cmd.end());
    request.mutable_env()->Add(options.env.begin(), options.env.end());
    request.set_working_dir(options.workdir);
    request.set_user(options.user);
    return request;
}

}  // namespace

Result<int> image_import(const Common& common, const ImportOptions& options) {
    const v1::ImportRequest request = TRY(request_of(options));
    const CriClient client = TRY(CriClient::connect(common.runtime_endpoint(), kConnect));
    grpc::ClientContext context;
    set_deadline(context, kImport);
    Display display;
    ImportProgressLines lines(display.on_terminal());
    v1::ImportProgress last;
    const auto stream = client.node_images().Import(&context, request);
    for (v1::ImportProgress progress; stream->Read(&progress);) {
        display.show(lines.after(progress));
        if (progress.images_size() > 0) last = progress;
    }
    display.clear();
    if (const grpc::Status status = stream->Finish(); !status.ok())
        return error_of(status).under("import " + (options.rootfs.empty() ? options.file : options.rootfs));
    for (const std::string& line : imported_lines(last)) std::printf("%s\n", line.c_str());
    return 0;
}

}  // namespace orlop::cli
