#include "runtime/core/cri/views.h"

#include <google/protobuf/util/json_util.h>
#include <signal.h>

#include <algorithm>
#include <charconv>

namespace orlop::core {

namespace {

bool has_labels(const Labels& wanted, const Labels& labels) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
        auto found = labels.find(pair.first);
        return found != labels.end() && found->second == pair.second;
    });
}

bool id_matches(const std::string& prefix, const std::string& id) {
    return id.compare(0, prefix.size(), prefix) == 0;
}

// "1000" or "1000:100" -> uid; a name -> username.
void set_image_user(const std::string& user, cri::Image& image) {
    const std::string first = user.substr(0, user.find(':'));
    if (first.empty()) return;
    int64_t uid = 0;
    const auto [end, error] = std::from_chars(first.data(), first.data() + first.size(), uid);
    if (error == std::errc() && end == first.data() + first.size()) {
        image.mutable_uid()->set_value(uid);
    } else {
        image.set_username(first);
    }
}

}  // namespace

cri::PodSandboxState state_of(const SandboxRecord& record) {
    return record.phase == SandboxPhase::Ready ? cri::SANDBOX_READY : cri::SANDBOX_NOTREADY;
}

cri::ContainerState state_of(const ContainerRecord& record) {
    switch (record.phase) {
        case ContainerPhase::Created:
        case ContainerPhase::Starting:
            return cri::CONTAINER_CREATED;
        case ContainerPhase::Running:
            return cri::CONTAINER_RUNNING;
        case ContainerPhase::Exited:
            return cri::CONTAINER_EXITED;
    }
    return cri::CONTAINER_UNKNOWN;
}

cri::PodSandboxStatus status_of(const SandboxRecord& r) {
    cri::PodSandboxStatus s;
    s.set_id(r.id);
    *s.mutable_metadata() = r.config.metadata();
    s.set_state(state_of(r));
    s.set_created_at(r.created_at);
    auto* network = s.mutable_network();
    for (size_t i = 0; i < r.ips.size(); ++i) {
        if (i == 0) {
            network->set_ip(r.ips[0]);
        } else {
            network->add_additional_ips()->set_ip(r.ips[i]);
        }
    }
    *s.mutable_linux()->mutable_namespaces()->mutable_options() =
        r.config.linux().security_context().namespace_options();
    *s.mutable_labels() = r.config.labels();
    *s.mutable_annotations() = r.config.annotations();
    s.set_runtime_handler(r.handler);
    return s;
}

cri::PodSandbox item_of(const SandboxRecord& r) {
    cri::PodSandbox s;
    s.set_id(r.id);
    *s.mutable_metadata() = r.config.metadata();
    s.set_state(state_of(r));
    s.set_created_at(r.created_at);
    *s.mutable_labels() = r.config.labels();
    *s.mutable_annotations() = r.config.annotations();
    s.set_runtime_handler(r.handler);
    return s;
}

cri::ContainerStatus status_of(const ContainerRecord& r) {
    cri::ContainerStatus s;
    s.set_id(r.id);
    *s.mutable_metadata() = r.config.metadata();
    s.set_state(state_of(r));
    s.set_created_at(r.created_at);
    s.set_started_at(r.started_at);
    s.set_finished_at(r.finished_at);
    s.set_exit_code(r.exit_code);
    *s.mutable_image() = r.config.image();
    s.set_image_ref(r.image_ref);
    s.set_image_id(r.image_id);
    s.set_reason(r.reason);
    s.set_message(r.message);
    *s.mutable_labels() = r.config.labels();
    *s.mutable_annotations() = r.config.annotations();
    *s.mutable_mounts() = r.config.mounts();
    for (int i = 0; i < s.mounts_size(); ++i) {
        const auto image = r.image_volumes.find(std::to_string(i));
        if (image != r.image_volumes.end())
            s.mutable_mounts(i)->mutable_image()->set_image_ref(image->second);
    }
    s.set_log_path(r.log_path);
    if (r.config.linux().has_resources()) {
        *s.mutable_resources()->mutable_linux() = r.config.linux().resources();
    }
    if (r.started_at != 0) {
        auto* user = s.mutable_user()->mutable_linux();
        user->set_uid(r.uid);
        user->set_gid(r.gid);
        for (const int64_t group : r.groups) user->add_supplemental_groups(group);
    }
    s.set_stop_signal(cri_signal(r.stop_signal));
    return s;
}

cri::Container item_of(const ContainerRecord& r) {
    cri::Container c;
    c.set_id(r.id);
    c.set_pod_sandbox_id(r.sandbox);
    *c.mutable_metadata() = r.config.metadata();
    *c.mutable_image() = r.config.image();
    c.set_image_ref(r.image_ref);
    c.set_image_id(r.image_id);
    c.set_state(state_of(r));
    c.set_created_at(r.created_at);
    *c.mutable_labels() = r.config.labels();
    *c.mutable_annotations() = r.config.annotations();
    return c;
}

cri::Image item_of(const images::Image& image) {
    cri::Image out;
    out.set_id(image.id);
    for (const auto& tag : image.repo_tags) out.add_repo_tags(tag);
    for (const auto& digest : image.repo_digests) out.add_repo_digests(digest);
    out.set_size(image.size);
    out.set_pinned(image.pinned);
    set_image_user(image.config.user, out);
    return out;
}

bool matches(const cri::PodSandboxFilter& filter, const SandboxRecord& record) {
    if (!id_matches(filter.id(), record.id)) return false;
    if (filter.has_state() && filter.state().state() != state_of(record)) return false;
    return has_labels(filter.label_selector(), record.config.labels());
}

bool matches(const cri::ContainerFilter& filter, const ContainerRecord& record) {
    if (!id_matches(filter.id(), record.id)) return false;
    if (!id_matches(filter.pod_sandbox_id(), record.sandbox)) return false;
    if (filter.has_state() && filter.state().state() != state_of(record)) return false;
    return has_labels(filter.label_selector(), record.config.labels());
}

cri::Signal cri_signal(int kernel_signal) {
    static constexpr std::pair<int, cri::Signal> kNamed[] = {
        {SIGABRT, cri::SIGNAL_SIGABRT},     {SIGALRM, cri::SIGNAL_SIGALRM},
        {SIGBUS, cri::SIGNAL_SIGBUS},       {SIGCHLD, cri::SIGNAL_SIGCHLD},
        {SIGCONT, cri::SIGNAL_SIGCONT},     {SIGFPE, cri::SIGNAL_SIGFPE},
        {SIGHUP, cri::SIGNAL_SIGHUP},       {SIGILL, cri::SIGNAL_SIGILL},
        {SIGINT, cri::SIGNAL_SIGINT},       {SIGIO, cri::SIGNAL_SIGIO},
        {SIGKILL, cri::SIGNAL_SIGKILL},     {SIGPIPE, cri::SIGNAL_SIGPIPE},
        {SIGPROF, cri::SIGNAL_SIGPROF},     {SIGPWR, cri::SIGNAL_SIGPWR},
        {SIGQUIT, cri::SIGNAL_SIGQUIT},     {SIGSEGV, cri::SIGNAL_SIGSEGV},
        {SIGSTKFLT, cri::SIGNAL_SIGSTKFLT}, {SIGSTOP, cri::SIGNAL_SIGSTOP},
        {SIGSYS, cri::SIGNAL_SIGSYS},       {SIGTERM, cri::SIGNAL_SIGTERM},
        {SIGTRAP, cri::SIGNAL_SIGTRAP},     {SIGTSTP, cri::SIGNAL_SIGTSTP},
        {SIGTTIN, cri::SIGNAL_SIGTTIN},     {SIGTTOU, cri::SIGNAL_SIGTTOU},
        {SIGURG, cri::SIGNAL_SIGURG},       {SIGUSR1, cri::SIGNAL_SIGUSR1},
        {SIGUSR2, cri::SIGNAL_SIGUSR2},     {SIGVTALRM, cri::SIGNAL_SIGVTALRM},
        {SIGWINCH, cri::SIGNAL_SIGWINCH},   {SIGXCPU, cri::SIGNAL_SIGXCPU},
        {SIGXFSZ, cri::SIGNAL_SIGXFSZ}};
    for (const auto& [kernel, named] : kNamed) {
        if (kernel == kernel_signal) return named;
    }
    // The C library's SIGRTMIN (34) is the kernel's 32 and two that glibc keeps for itself; 34..64 follow
    // each other.
    if (kernel_signal >= 34 && kernel_signal <= 64) {
        return static_cast<cri::Signal>(cri::SIGNAL_SIGRTMIN + (kernel_signal - 34));
    }
    return cri::SIGNAL_RUNTIME_DEFAULT;
}

std::string image_ref_of(const images::Image& image) {
    return image.repo_digests.empty() ? image.id : image.repo_digests.front();
}

std::string message_json(const google::protobuf::Message& message) {
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    std::string out;
    // Only map keys and strings that are not UTF-8 fail; what was written until then is of no use.
    if (!google::protobuf::util::MessageToJsonString(message, &out, options).ok()) return "{}";
    return out;
}

}  // namespace orlop::core
