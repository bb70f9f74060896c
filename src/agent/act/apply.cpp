#include "agent/act/apply.h"

#include "agent/act/observe.h"
#include "agent/act/pod_files.h"

namespace orlop::agent {

namespace {

bool gone(const Error& error) {
    return error.kind() == Kind::Unavailable;
}

// Stop and remove of what is not there any more has succeeded.
Status lenient(Status status) {
    if (!status && status.error().kind() == Kind::NotFound) return ok();
    return status;
}

class Applier {
  public:
    Applier(const Hands& hands, const ApplyInput& input) : hands_(hands), in_(input), pod_(*input.pod) {}

    ApplyOutcome run() {
        out_.cleanup = clean_up();
        if (!out_.cleanup) note(out_.cleanup.error());
        // A new sandbox beside one that could not be stopped would fight it for names and addresses.
        if (in_.actions.create_sandbox && out_.cleanup) create_sandbox(*in_.actions.create_sandbox);
        for (const Start& start : in_.actions.starts) {
            StartOutcome& outcome = out_.starts[start.name];
            begin(start, outcome);
        }
        out_.after = observe_pod(hands_.cri, pod_.meta.uid, in_.observed, hands_.node.paths);
        if (!out_.after) note(out_.after.error());
        return std::move(out_);
    }

  private:
    void note(const Error& error) { out_.runtime_gone = out_.runtime_gone || gone(error); }

    Wait wait(std::string reason, const Error& error) {
        note(error);
        return {std::move(reason), error.what()};
    }

    Status clean_up() {
        for (const std::string& id : in_.actions.stop_sandboxes)
            TRY(lenient(hands_.cri.sandboxes.stop(id)).under("stop sandbox " + id));
        for (const std::string& id : in_.actions.remove_containers)
            TRY(lenient(hands_.cri.containers.remove(id)).under("remove container " + id));
        for (const std::string& id : in_.actions.remove_sandboxes)
            TRY(lenient(hands_.cri.sandboxes.remove(id)).under("remove sandbox " + id));
        return ok();
    }

    void create_sandbox(uint32_t attempt) {
        if (auto files = prepare_pod_files(pod_, hands_.node); !files) {
            out_.sandbox_failure = wait("FailedMount", files.error());
            return;
        }
        if (auto cgroup = hands_.cgroups.ensure(pod_); !cgroup) {
            out_.sandbox_failure = wait("FailedCreatePodContainer", cgroup.error());
            return;
        }
        const auto config = plan_sandbox(pod_, attempt, hands_.node);
        auto id = config ? hands_.cri.sandboxes.run(*config) : Result<std::string>(config.error());
        if (!id) {
            out_.sandbox_failure = wait("FailedCreatePodSandBox", id.error());
            return;
        }
        out_.sandbox_id = *id;
    }

    // --- one container ---

    void begin(const Start& start, StartOutcome& out) {
        const auto& list = start.init ? pod_.spec.init_containers : pod_.spec.containers;
        const kube::Container& spec = list.at(start.index);
        const auto found = hands_.cri.images.find(spec.image);
        if (!found) {
            const bool invalid = found.error().kind() == Kind::Invalid;
            out.failure = wait(invalid ? "InvalidImageName" : "ImageInspectError", found.error());
            return;
        }
        const bool pull = spec.pull_policy == kube::PullPolicy::Always ||
                          (spec.pull_policy != kube::PullPolicy::Never && !found->has_value());
        if (pull && !in_.pulled.contains(spec.name)) {
            out.needs_pull = true;
            return;
        }
        if (!found->has_value()) {
            const bool never = spec.pull_policy == kube::PullPolicy::Never;
            out.failure = Wait{never ? "ErrImageNeverPull" : "ErrImagePull",
                               "image \"" + spec.image + "\" is not on the node" +
                                   (never ? " and its pull policy is Never" : "")};
            return;
        }
        create_and_start(spec, start, **found, out);
    }

    ContainerFacts facts_of(const Start& start, const cri::Image& image) const {
        ContainerFacts facts;
        facts.restarts = start.restarts;
        facts.image = image.id();
        if (image.has_uid()) facts.image_uid = image.uid().value();
        facts.image_user = image.username();
        if (!in_.observed.sandboxes.empty()) facts.pod_ips = in_.observed.sandboxes.front().ips;
        return facts;
    }

    void create_and_start(const kube::Container& spec, const Start& start, const cri::Image& image,
                          StartOutcome& out) {
        const ContainerFacts facts = facts_of(start, image);
        const auto config = plan_container(pod_, spec, facts, hands_.node);
        if (!config) {
            out.failure = wait("CreateContainerConfigError", config.error());
            return;
        }
        if (auto files = prepare(spec, start, facts); !files) {
            out.failure = wait("CreateContainerError", files.error());
            return;
        }
        const uint32_t attempt = in_.observed.sandboxes.empty() ? 0 : in_.observed.sandboxes.front().attempt;
        const auto sandbox = plan_sandbox(pod_, attempt, hands_.node);
        auto id = sandbox ? hands_.cri.containers.create(in_.actions.sandbox_id, *config, *sandbox)
                          : Result<std::string>(sandbox.error());
        if (!id) {
            out.failure = wait("CreateContainerError", id.error());
            return;
        }
        out.container_id = *id;
        if (auto started = hands_.cri.containers.start(*id); !started)
            out.failure = wait("RunContainerError", started.error());
    }

    Status prepare(const kube::Container& spec, const Start& start, const ContainerFacts& facts) {
        // Volumes that Memory made are gone after a reboot, hostPaths may have come in the meantime.
        TRY(prepare_pod_files(pod_, hands_.node));
        TRY(write_hosts_file(pod_, hands_.node, facts.pod_ips));
        return prepare_message_file(pod_, spec.name, start.restarts, hands_.node.paths);
    }

    const Hands& hands_;
    const ApplyInput& in_;
    const kube::Pod& pod_;
    ApplyOutcome out_;
};

}  // namespace

ApplyOutcome apply(const Hands& hands, const ApplyInput& input) {
    return Applier(hands, input).run();
}

std::optional<Wait> pull_image(const Hands& hands, const kube::Pod& pod, const std::string& image) {
    const auto sandbox = plan_sandbox(pod, 0, hands.node);
    if (!sandbox) return Wait{"ErrImagePull", sandbox.error().what()};
    const auto pulled = hands.cri.images.pull(image, *sandbox);
    if (pulled) return {};
    if (pulled.error().kind() != Kind::Unimplemented) return Wait{"ErrImagePull", pulled.error().what()};
    const auto found = hands.cri.images.find(image);
    if (found && found->has_value()) return {};
    return Wait{"ErrImagePull", "image \"" + image +
                                    "\" is not on the node and the runtime cannot pull it (" +
                                    pulled.error().what() + "): import it with `orlop image import`"};
}

Result<ObservedPod> tear_down(const Hands& hands, const kube::ObjectMeta& meta, const ObservedPod& observed) {
    for (const ObservedSandbox& s : observed.sandboxes)
        TRY(lenient(hands.cri.sandboxes.stop(s.id)).under("stop sandbox " + s.id));
    for (const ObservedContainer& c : observed.containers)
        TRY(lenient(hands.cri.containers.remove(c.id)).under("remove container " + c.id));
    for (const ObservedSandbox& s : observed.sandboxes)
        TRY(lenient(hands.cri.sandboxes.remove(s.id)).under("remove sandbox " + s.id));
    ObservedPod left = TRY(observe_pod(hands.cri, meta.uid, {}, hands.node.paths));
    if (!left.sandboxes.empty() || !left.containers.empty()) return left;
    TRY(remove_pod_files(meta, hands.node.paths));
    TRY(hands.cgroups.remove(meta.uid).under("cgroup of pod " + meta.uid));
    return left;
}

}  // namespace orlop::agent
