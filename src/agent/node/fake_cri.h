// A runtime in memory for the agent's tests: stateful, deterministic, without threads.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/act/cri.h"
#include "agent/decide/labels.h"
#include "base/clock.h"

namespace orlop::agent {

class FakeCri final : public RuntimeCalls, public ImageCalls {
  public:
    explicit FakeCri(const Clock& clock) : clock_(clock), sandboxes_(*this), containers_(*this) {}
    Cri calls() { return {*this, sandboxes_, containers_, *this}; }

    // --- what tests turn ---
    bool up = true;
    bool network = true;
    std::set<std::string> images{"image:1"};
    std::set<std::string> broken_start;  // container names whose StartContainer fails
    std::vector<std::string> log;        // calls that change something
    Kind pull_error = Kind::Unimplemented;

    void exit(const std::string& name, int code) {
        for (auto& [id, c] : live_) {
            if (c.status.metadata().name() == name && c.status.state() == cri::CONTAINER_RUNNING)
                end(c, code);
        }
    }
    void kill_sandboxes() {
        for (auto& [id, s] : sandbox_) s.set_state(cri::SANDBOX_NOTREADY);
        for (auto& [id, c] : live_) {
            if (c.status.state() == cri::CONTAINER_RUNNING) end(c, 137);
        }
    }
    std::string running() const {
        std::string out;
        for (const auto& [id, c] : live_) {
            if (c.status.state() == cri::CONTAINER_RUNNING)
                out += c.status.metadata().name() + "/" + id + " ";
        }
        return out;
    }
    size_t count() const { return live_.size() + sandbox_.size(); }

    // --- RuntimeCalls ---
    Result<cri::VersionResponse> version() override {
        TRY(check());
        cri::VersionResponse out;
        out.set_runtime_name("fake");
        out.set_runtime_version("1");
        return out;
    }
    Result<cri::RuntimeStatus> status() override {
        TRY(check());
        cri::RuntimeStatus out;
        auto& ready = *out.add_conditions();
        ready.set_type("RuntimeReady");
        ready.set_status(true);
        auto& net = *out.add_conditions();
        net.set_type("NetworkReady");
        net.set_status(network);
        if (!network) net.set_message("cni is missing");
        return out;
    }
    Result<cri::CgroupDriver> cgroup_driver() override { return cri::CGROUPFS; }
    Status listen(const std::function<void(const cri::ContainerEventResponse&)>&,
                  const std::function<void()>&, const std::stop_token&) override {
        return Error::unimplemented("no events");
    }

    // --- ImageCalls ---
    Result<std::optional<cri::Image>> find(const std::string& image) override {
        TRY(check());
        if (!images.contains(image)) return std::optional<cri::Image>();
        cri::Image out;
        out.set_id("sha256:" + image);
        return std::optional(out);
    }
    Result<std::string> pull(const std::string& image, const cri::PodSandboxConfig&) override {
        TRY(check());
        log.push_back("pull " + image);
        return Error(pull_error, "PullImage: not built yet");
    }

  private:
    struct Container {
        cri::ContainerStatus status;
        std::string sandbox;
    };

    class Sandboxes final : public SandboxCalls {
      public:
        explicit Sandboxes(FakeCri& f) : f_(f) {}
        Result<std::string> run(const cri::PodSandboxConfig& config) override {
            TRY(f_.check());
            const std::string id = "s" + std::to_string(f_.next_++);
            cri::PodSandboxStatus& s = f_.sandbox_[id];
            s.set_id(id);
            *s.mutable_metadata() = config.metadata();
            s.set_created_at(f_.now());
            *s.mutable_labels() = config.labels();
            *s.mutable_annotations() = config.annotations();
            *s.mutable_linux()->mutable_namespaces()->mutable_options() =
                config.linux().security_context().namespace_options();
            s.mutable_network()->set_ip("10.0.0." + id.substr(1));
            f_.log.push_back("run " + config.metadata().name());
            return id;
        }
        Status stop(const std::string& id) override {
            TRY(f_.check());
            if (const auto at = f_.sandbox_.find(id); at != f_.sandbox_.end())
                at->second.set_state(cri::SANDBOX_NOTREADY);
            return ok();
        }
        Status remove(const std::string& id) override {
            TRY(f_.check());
            f_.sandbox_.erase(id);
            std::erase_if(f_.live_, [&](const auto& each) { return each.second.sandbox == id; });
            return ok();
        }
        Result<cri::PodSandboxStatus> status(const std::string& id) override {
            TRY(f_.check());
            const auto at = f_.sandbox_.find(id);
            if (at == f_.sandbox_.end()) return Error::not_found(id);
            return at->second;
        }
        Result<std::vector<cri::PodSandbox>> list(const std::string& uid) override {
            TRY(f_.check());
            std::vector<cri::PodSandbox> out;
            for (const auto& [id, s] : f_.sandbox_) {
                if (!uid.empty() && s.labels().at(labels::kPodUid) != uid) continue;
                cri::PodSandbox& item = out.emplace_back();
                item.set_id(id);
                *item.mutable_metadata() = s.metadata();
                item.set_state(s.state());
                item.set_created_at(s.created_at());
                *item.mutable_labels() = s.labels();
                *item.mutable_annotations() = s.annotations();
            }
            return out;
        }

      private:
        FakeCri& f_;
    };

    class Containers final : public ContainerCalls {
      public:
        explicit Containers(FakeCri& f) : f_(f) {}
        Result<std::string> create(const std::string& sandbox, const cri::ContainerConfig& config,
                                   const cri::PodSandboxConfig&) override {
            TRY(f_.check());
            const std::string id = "c" + std::to_string(f_.next_++);
            Container& c = f_.live_[id];
            c.sandbox = sandbox;
            c.status.set_id(id);
            *c.status.mutable_metadata() = config.metadata();
            c.status.set_state(cri::CONTAINER_CREATED);
            c.status.set_created_at(f_.now());
            *c.status.mutable_labels() = config.labels();
            *c.status.mutable_annotations() = config.annotations();
            return id;
        }
        Status start(const std::string& id) override {
            TRY(f_.check());
            Container& c = f_.live_.at(id);
            const std::string name = c.status.metadata().name();
            f_.log.push_back("start " + name + " " + std::to_string(c.status.metadata().attempt()));
            c.status.set_started_at(f_.now());
            if (f_.broken_start.contains(name)) {
                end(f_, c, 128);
                c.status.set_reason("StartError");
                return Error::failed("exec /nope: no such file or directory");
            }
            c.status.set_state(cri::CONTAINER_RUNNING);
            return ok();
        }
        void stop(const std::string& id, int64_t grace, std::function<void(Status)> done) override {
            if (auto up = f_.check(); !up) return done(std::move(up));
            const auto at = f_.live_.find(id);
            if (at != f_.live_.end()) {
                f_.log.push_back("stop " + at->second.status.metadata().name() + " " + std::to_string(grace));
                end(f_, at->second, 143);
            }
            done(ok());
        }
        Status remove(const std::string& id) override {
            TRY(f_.check());
            f_.live_.erase(id);
            return ok();
        }
        Result<cri::ContainerStatus> status(const std::string& id) override {
            TRY(f_.check());
            const auto at = f_.live_.find(id);
            if (at == f_.live_.end()) return Error::not_found(id);
            return at->second.status;
        }
        Result<std::vector<cri::Container>> list(const std::string& uid) override {
            TRY(f_.check());
            std::vector<cri::Container> out;
            for (const auto& [id, c] : f_.live_) {
                if (!uid.empty() && c.status.labels().at(labels::kPodUid) != uid) continue;
                cri::Container& item = out.emplace_back();
                item.set_id(id);
                item.set_pod_sandbox_id(c.sandbox);
                *item.mutable_metadata() = c.status.metadata();
                item.set_state(c.status.state());
                *item.mutable_labels() = c.status.labels();
            }
            return out;
        }

      private:
        static void end(FakeCri& f, Container& c, int code) { f.end(c, code); }
        FakeCri& f_;
    };

    Status check() const { return up ? ok() : Status(Error::unavailable("connection refused")); }
    // Distinct even while the clock stands still.
    int64_t now() { return clock_.wall().count() + ++tick_; }
    void end(Container& c, int code) {
        c.status.set_state(cri::CONTAINER_EXITED);
        c.status.set_exit_code(code);
        c.status.set_finished_at(now());
    }

    const Clock& clock_;
    Sandboxes sandboxes_;
    Containers containers_;
    std::map<std::string, cri::PodSandboxStatus> sandbox_;
    std::map<std::string, Container> live_;
    int next_ = 1;
    int64_t tick_ = 0;
};

}  // namespace orlop::agent
