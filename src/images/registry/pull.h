// One pull: reference -> manifest -> config -> layers, several at once -> image.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "images/config.h"
#include "images/intake.h"
#include "images/registry/claims.h"
#include "images/registry/client.h"
#include "images/store.h"

namespace orlop::registry {

class Pull {
  public:
    struct Shared {
        images::Store& store;
        Claims& claims;
        Slots& slots;
        size_t layers_at_once;
        Http& http;
        Authorizer& authorizer;
    };
    Pull(Shared shared, const Patience& patience, Client::Target target, images::Reference reference,
         const images::OnProgress& progress)
        : shared_(shared),
          patience_(patience),
          target_(std::move(target)),
          reference_(std::move(reference)),
          progress_(progress) {}

    Result<images::Image> run(std::stop_token stop);

  private:
    using Documents = std::vector<std::pair<images::Digest, std::string>>;
    struct Plan {
        images::Digest top;  // what the repository calls the image
        Documents documents;
        images::Digest id;
        std::vector<images::Descriptor> layers;
        std::vector<images::LayerSlot> slots;
    };

    void report(const std::string& stage, const std::string& layer, uint64_t done, uint64_t total);
    std::vector<std::string> repo_tags() const;
    std::string repo_digest(const images::Digest& top) const;
    Result<std::optional<images::Image>> already_here(const images::Intake& intake,
                                                      const images::Digest& digest);
    Result<Plan> plan(Client& client, const std::optional<images::Digest>& digest);
    Result<images::Manifest> descend(Client& client, Fetched top, Documents& documents);
    Status bring_layers(Client& client, const images::Intake& intake, Plan& plan);
    // Which layers are missing; those nobody else is bringing are claimed.
    struct Missing {
        std::vector<size_t> mine, theirs;
    };
    Result<Missing> find_missing(const images::Intake& intake, Plan& plan, HeldClaims& claims);
    Status bring(Client& client, const images::Intake& intake, Plan& plan, std::vector<size_t> which);
    Status bring_one(Client& client, const images::Intake& intake, const images::Descriptor& layer,
                     images::LayerSlot& slot);

    Shared shared_;
    Patience patience_;
    Client::Target target_;
    images::Reference reference_;
    const images::OnProgress& progress_;
    std::mutex mutex_;  // of progress_ and of what the workers share
    std::stop_source stop_;
};

}  // namespace orlop::registry
