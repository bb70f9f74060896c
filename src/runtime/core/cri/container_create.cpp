#include <google/protobuf/util/message_differencer.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/undo.h"
#include "base/weak.h"
#include "runtime/core/cri/handlers.h"
#include "runtime/core/cri/pid_target.h"
#include "runtime/core/cri/tear_down.h"
#include "runtime/core/error_map.h"
#include "runtime/core/host_facts.h"
#include "runtime/core/image_paths.h"

namespace orlop::core {

namespace {

Result<std::string> existing_container(const State& state, const std::string& id,
                                       const cri::ContainerConfig& wanted, const std::string& name) {
    const Containers::Ptr record = state.containers->get(id);
    if (record && record->phase == ContainerPhase::Created &&
        google::protobuf::util::MessageDifferencer::Equals(record->config, wanted)) {
        return id;
    }
    return Error(Kind::Exists,
                 name + " exists already with id " + id + ": remove it, or use another attempt number");
}

Result<images::Image> image_for(const images::Store& store, const cri::ImageSpec& spec) {
    if (spec.image().empty()) return Error::invalid("image.image is empty");
    auto image = TRY(store.find(spec.image()));
    if (!image) {
        return Error::failed("image \"" + spec.image() + "\" is not on this node: pull or import it first");
    }
    return std::move(*image);
}

plan::SandboxPaths paths_of(const Paths& paths, const SandboxRecord& sandbox) {
    const std::string dir = paths.sandbox(sandbox.id);
    return {.netns = sandbox.netns,
            .shm = host_ipc(sandbox.config) ? "" : paths.shm(sandbox.id),
            .hostname = dir + "/hostname",
            .hosts = dir + "/hosts",
            .resolv_conf = dir + "/resolv.conf"};
}

// By index in config.mounts.
using ImageVolumes = std::map<int, images::Image>;

// The kubelet knows the word.
Error no_image_volume(int index, const std::string& why) {
    return Error::failed("ImageVolumeMountFailed: mounts[" + std::to_string(index) + "].image: " + why);
}

Result<ImageVolumes> find_image_volumes(const images::Store& store, const cri::ContainerConfig& config) {
    ImageVolumes volumes;
    for (int i = 0; i < config.mounts_size(); ++i) {
        if (!config.mounts(i).has_image()) continue;
        const std::string& name = config.mounts(i).image().image();
        if (name.empty()) return no_image_volume(i, "image is empty");
        auto image = TRY(store.find(name));
        if (!image)
            return no_image_volume(i, "\"" + name + "\" is not on this node: pull or import it first");
        volumes.emplace(i, std::move(*image));
    }
    return volumes;
}

// Those between the pod's directory and the file. A pod that has mounted its directory may have put links
// there.
Status make_log_directories(const std::string& pods, const std::string& path) {
    if (weakened("log-links")) return make_dirs(pods + "/" + path.substr(0, path.rfind('/') + 1));
    Dir dir = TRY(Dir::make(pods));
    for (size_t at = 0, end; (end = path.find('/', at)) != std::string::npos; at = end + 1) {
        if (end > at) dir = TRY(dir.make_dir(path.substr(at, end - at)));
    }
    return ok();
}

struct Creating {
    Parts& parts;
    const SandboxRecord& sandbox;
    const cri::ContainerConfig& config;
    std::string id;
    ImageVolumes volumes;
    UndoStack undo;
};

// Directories in a user namespace belong to its root: "/" of an overlay is the upper directory itself.
Status give_to_pod(const Creating& c, const Dir& dir) {
    const auto user = TRY(plan::user_namespace(c.sandbox.config));
    if (user && fchown(dir.fd(), user->uids.outside, user->gids.outside) != 0)
        return Error::sys("chown " + dir.path());
    return ok();
}

using VolumeLayers = std::map<int, std::vector<std::string>>;

Result<VolumeLayers> pin_volumes(Creating& c) {
    VolumeLayers layers;
    for (const auto& [index, image] : c.volumes) {
        layers[index] = TRY(c.parts.images.pin_layers(image.id, c.id));
        const std::string& sub_path = c.config.mounts(index).image_sub_path();
        if (sub_path.empty()) continue;
        auto there = image_has(layers[index], sub_path);
        if (!there) return no_image_volume(index, there.error().what());
    }
    return layers;
}

Result<plan::ContainerPaths> make_directories(Creating& c, const images::Image& image, Dir& dir) {
    plan::ContainerPaths paths;
    paths.layers = TRY(c.parts.images.pin_layers(image.id, c.id));
    c.undo.push("image layers", [&c] { return c.parts.images.unpin_layers(c.id); });
    const Dir upper = TRY(dir.make_dir("upper", 0755));
    TRY(give_to_pod(c, upper));
    paths.upper = upper.path();
    paths.work = TRY(dir.make_dir("work", 0700)).path();
    paths.staging = c.parts.paths.staging();
    return paths;
}

Result<launch::LaunchPlan> plan_it(Creating& c, const images::Image& image, Dir& dir) {
    const std::vector<bool> directories = TRY(stat_mounts(c.config));
    std::vector<plan::FoundDevice> devices = TRY(find_devices(c.config));
    // Limits are applied at the start; what is wrong with them is said here.
    TRY(plan::plan_resources(c.config, c.parts.facts, devices));
    std::vector<launch::DeviceNode> host_devices;
    if (c.config.linux().security_context().privileged()) host_devices = TRY(list_host_devices());
    std::optional<std::string> profile = TRY(read_seccomp_profile(c.config));
    const plan::ContainerPaths paths = TRY(make_directories(c, image, dir));
    VolumeLayers image_layers = TRY(pin_volumes(c));
    const plan::SandboxPaths sandbox_paths = paths_of(c.parts.paths, c.sandbox);
    return plan::plan_container({.config = c.config,
                                 .sandbox = c.sandbox.config,
                                 .image = image,
                                 .sandbox_paths = sandbox_paths,
                                 .paths = paths,
                                 .id = c.id,
                                 .mount_is_directory = directories,
                                 .devices = std::move(devices),
                                 .host_devices = std::move(host_devices),
                                 .seccomp_profile = std::move(profile),
                                 .seccomp_cache = &c.parts.seccomp,
                                 .image_layers = std::move(image_layers)},
                                c.parts.facts);
}

// It has to run, in the same pod; which process that is counts at the start.
Status check_pid_target(const Creating& c) {
    const std::string target = plan::pid_target(c.config);
    if (target.empty()) return ok();
    const auto found = running_target(c.parts.state, c.sandbox.id, target);
    return found ? ok() : Status(found.error());
}

Result<std::string> create(Creating& c) {
    const images::Image image = TRY(image_for(c.parts.images, c.config.image()));
    ContainerRecord record;
    record.id = c.id;
    record.sandbox = c.sandbox.id;
    record.config = c.config;
    record.created_at = c.parts.clock.wall().count();
    record.image_id = image.id;
    record.image_ref = image_ref_of(image);
    record.log_path = TRY(log_path_of(c.sandbox.config, c.config));
    record.stop_signal = TRY(plan::stop_signal(c.config, image.config));
    c.volumes = TRY(find_image_volumes(c.parts.images, c.config));
    for (const auto& [index, volume] : c.volumes) record.image_volumes[std::to_string(index)] = volume.id;
    TRY(check_pid_target(c));

    if (!record.log_path.empty()) {
        TRY(make_log_directories(c.sandbox.config.log_directory(), c.config.log_path())
                .under("log directory"));
    }
    Dir dir = TRY(c.parts.state.containers->make_directory(c.id));
    c.undo.push("directory", [&c] { return c.parts.state.containers->discard(c.id); });
    fault_point("container plan");
    const launch::LaunchPlan plan = TRY(plan_it(c, image, dir));
    TRY(check_apparmor(plan.process.apparmor_profile));
    TRY(save_plan(dir, plan));
    fault_point("container record");
    TRY(c.parts.state.containers->insert(std::move(record)));
    fault_point("container created");
    return c.id;
}

}  // namespace

Result<std::string> log_path_of(const cri::PodSandboxConfig& sandbox, const cri::ContainerConfig& container) {
    const std::string& path = container.log_path();
    if (path.empty() || sandbox.log_directory().empty()) return std::string();
    if (path.front() == '/')
        return Error::invalid("log_path \"" + path + "\" is absolute: it is below log_directory");
    for (const std::string& whole : {path, sandbox.log_directory()}) {
        if (weakened("log-path")) break;
        if (("/" + whole + "/").find("/../") != std::string::npos) {
            return Error::invalid("log path \"" + whole + "\" has a \"..\"");
        }
        if (whole.find('\0') != std::string::npos) return Error::invalid("log path has a NUL");
    }
    return sandbox.log_directory() + (sandbox.log_directory().ends_with('/') ? "" : "/") + path;
}

Result<std::string> create_container(Parts& parts, const cri::CreateContainerRequest& request, Nanos wait) {
    const auto found = TRY(parts.state.sandboxes->resolve(request.pod_sandbox_id()));
    if (request.config().metadata().name().empty()) return Error::invalid("metadata.name is empty");
    const std::string name = unique_name(found->id, request.config().metadata());
    const std::string id = random_hex_id();
    Names::Outcome claimed = TRY(parts.state.names.claim(name, id, wait));
    if (!claimed.claim) return existing_container(parts.state, claimed.existing, request.config(), name);

    claimed.claim->stage("waiting for the pod");
    PodLocks::Guard pod = TRY(parts.state.pods.acquire(found->id, wait));
    const Sandboxes::Ptr sandbox = parts.state.sandboxes->get(found->id);
    if (!sandbox || sandbox->phase != SandboxPhase::Ready) {
        return Error::precondition("sandbox " + found->id +
                                   " is not ready: no container can be created in it");
    }
    claimed.claim->stage("container directory");
    Creating c{
        .parts = parts, .sandbox = *sandbox, .config = request.config(), .id = id, .volumes = {}, .undo = {}};
    auto created = inner(create(c));
    if (!created) {
        Error error = std::move(created).error().under(name);
        if (auto undone = c.undo.unwind(); !undone) return std::move(error).also(undone.error());
        return error;
    }
    c.undo.commit();
    claimed.claim->keep();
    parts.announcer.announce(cri::CONTAINER_CREATED_EVENT, id, sandbox->id);
    return id;
}

}  // namespace orlop::core
