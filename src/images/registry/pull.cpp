#include "images/registry/pull.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

namespace orlop::registry {

using images::Digest;
using images::LayerSlot;

namespace {

constexpr int kMaxNesting = 4;
constexpr uint64_t kProgressStep = 256u << 10;
constexpr uint64_t kLarge = 1u << 20;

// Other types (text/plain, application/json) say nothing.
std::string announced(const std::string& content_type) {
    return content_type.starts_with("application/vnd.") ? content_type : "";
}

}  // namespace

void Pull::report(const std::string& stage, const std::string& layer, uint64_t done, uint64_t total) {
    if (!progress_) return;
    const std::lock_guard lock(mutex_);
    progress_({stage, layer, done, total});
}

std::vector<std::string> Pull::repo_tags() const {
    // A tag beside a digest is decoration: nobody has said that it means this digest.
    if (!reference_.digest.empty()) return {};
    return {reference_.domain + "/" + reference_.path + ":" + reference_.tag};
}

std::string Pull::repo_digest(const Digest& top) const {
    return reference_.domain + "/" + reference_.path + "@" + top.str();
}

// What the store has under this digest, with all of its layers, now also under the name of this pull.
Result<std::optional<images::Image>> Pull::already_here(const images::Intake& intake, const Digest& digest) {
    const auto image = TRY(shared_.store.find(repo_digest(digest)));
    if (!image) return image;
    std::vector<images::LayerRow> rows;
    std::optional<Digest> chain;
    for (const std::string& text : image->layers) {
        const Digest diff_id = TRY(Digest::parse(text));
        const auto row = TRY(intake.find(diff_id, chain));
        if (!row) return std::optional<images::Image>();
        rows.push_back(*row);
        chain = images::chain_id(chain, diff_id);
    }
    const Digest id = TRY(Digest::parse(image->id));
    return std::optional(TRY(intake.put_image({image->id, repo_tags(), {repo_digest(digest)}, {}, rows},
                                              {{id, image->config_json}})));
}

Result<images::Manifest> Pull::descend(Client& client, Fetched top, Documents& documents) {
    std::string type = announced(top.media_type);
    Fetched at = std::move(top);
    for (int nesting = 0; nesting < kMaxNesting; ++nesting) {
        documents.emplace_back(at.digest, at.content);
        images::Document document = TRY(images::parse_document(at.content, type).under(at.digest.str()));
        if (auto* manifest = std::get_if<images::Manifest>(&document)) return std::move(*manifest);
        const images::Descriptor chosen =
            TRY(images::choose_platform(std::get<images::Index>(document).manifests, images::Platform::host())
                    .under(at.digest.str()));
        at = TRY(client.manifest(chosen.digest.str(), chosen.digest));
        if (at.content.size() != chosen.size)
            return Error::invalid("manifest " + chosen.digest.str() + " is " +
                                  std::to_string(at.content.size()) + " bytes long, not " +
                                  std::to_string(chosen.size));
        type = chosen.media_type;
    }
    return Error::invalid("indexes nested too deep");
}

Result<Pull::Plan> Pull::plan(Client& client, const std::optional<Digest>& digest) {
    Fetched top = TRY(client.manifest(digest ? digest->str() : reference_.tag, digest));
    const Digest top_digest = top.digest;
    Documents documents;
    const images::Manifest manifest = TRY(descend(client, std::move(top), documents));
    const Digest id = manifest.config.digest;
    const std::string config = TRY(client.document(manifest.config).under("config"));
    const auto parsed = TRY(images::parse_config(config).under("config " + id.str()));
    if (parsed.diff_ids.size() != manifest.layers.size())
        return Error::invalid("config " + id.str() + " has " + std::to_string(parsed.diff_ids.size()) +
                              " DiffIDs for " + std::to_string(manifest.layers.size()) + " layers");
    documents.emplace_back(id, config);
    Plan plan{top_digest, std::move(documents), id, manifest.layers, {}};
    for (const Digest& diff_id : parsed.diff_ids) plan.slots.push_back({diff_id, std::nullopt, std::nullopt});
    return plan;
}

Result<Pull::Missing> Pull::find_missing(const images::Intake& intake, Plan& plan, HeldClaims& claims) {
    Missing missing;
    std::optional<Digest> chain;
    for (size_t i = 0; i < plan.slots.size(); ++i) {
        LayerSlot& slot = plan.slots[i];
        if (!slot.row && !slot.staged) slot.row = TRY(intake.find(slot.diff_id, chain));
        chain = images::chain_id(chain, slot.diff_id);
        if (slot.row || slot.staged) continue;
        const bool mine = claims.take(slot.diff_id.str());
        (mine ? missing.mine : missing.theirs).push_back(i);
    }
    return missing;
}

Status Pull::bring_one(Client& client, const images::Intake& intake, const images::Descriptor& layer,
                       LayerSlot& slot) {
    std::vector<std::string> avoid;
    std::optional<Error> first;
    while (true) {
        const auto bytes = TRY(client.blob(layer, avoid));
        uint64_t reported = 0;
        const std::string label = layer.digest.str();
        auto staged = intake.stage({*bytes, layer.digest, slot.diff_id, true, layer.size >= kLarge},
                                   [&](uint64_t done) {
                                       if (done - reported < kProgressStep && done != layer.size) return;
                                       reported = done;
                                       report("download", label, done, layer.size);
                                   });
        if (staged) {
            slot.staged = std::move(*staged);
            return ok();
        }
        if (!first) first = staged.error();
        // Wrong bytes of a mirror say nothing about the others.
        const bool wrong = staged.error().kind() == Kind::Invalid;
        if (!wrong || avoid.size() >= target_.endpoints.size()) return *first;
    }
}

// The largest first, so that none of them is left alone at the end.
Status Pull::bring(Client& client, const images::Intake& intake, Plan& plan, std::vector<size_t> which) {
    std::stable_sort(which.begin(), which.end(),
                     [&](size_t a, size_t b) { return plan.layers[a].size > plan.layers[b].size; });
    for (const size_t i : which) report("download", plan.layers[i].digest.str(), 0, plan.layers[i].size);
    std::atomic<size_t> next{0};
    std::optional<Error> failure;
    const auto work = [&] {
        while (!stop_.stop_requested()) {
            const size_t at = next.fetch_add(1);
            if (at >= which.size()) return;
            Status done = shared_.slots.take(stop_.get_token());
            if (done) {
                const size_t i = which[at];
                done = bring_one(client, intake, plan.layers[i], plan.slots[i])
                           .under("layer " + plan.layers[i].digest.str());
                shared_.slots.release();
            }
            if (done) continue;
            const std::lock_guard lock(mutex_);
            if (!failure) failure = done.error();
            stop_.request_stop();
        }
    };
    {
        std::vector<std::jthread> workers;
        for (size_t i = 1; i < std::min(which.size(), shared_.layers_at_once); ++i)
            workers.emplace_back(work);
        work();
    }
    if (failure) return *failure;
    return stop_.stop_requested() ? Status(stopped_error()) : ok();
}

Status Pull::bring_layers(Client& client, const images::Intake& intake, Plan& plan) {
    while (true) {
        HeldClaims claims(shared_.claims);
        const Missing missing = TRY(find_missing(intake, plan, claims));
        TRY(bring(client, intake, plan, missing.mine));
        if (missing.theirs.empty()) return intake.commit(plan.slots);
        // Others may wait for these, so nothing may be held while we wait for theirs.
        TRY(intake.commit_independent(plan.slots));
        claims.release();
        for (const size_t i : missing.theirs)
            TRY(shared_.claims.await(plan.slots[i].diff_id.str(), stop_.get_token()));
    }
}

Result<images::Image> Pull::run(std::stop_token outer) {
    const std::stop_callback link(outer, [this] { stop_.request_stop(); });
    Client client(shared_.http, shared_.authorizer, target_, patience_, stop_.get_token());
    const auto intake = TRY(shared_.store.intake());
    report("resolve", "", 0, 0);
    std::optional<Digest> digest;
    if (reference_.digest.empty())
        digest = TRY(client.digest_of(reference_.tag));
    else
        digest = TRY(Digest::parse(reference_.digest));
    if (digest) {
        if (auto image = TRY(already_here(*intake, *digest))) return *image;
    }
    Plan layers = TRY(plan(client, digest));
    TRY(bring_layers(client, *intake, layers));
    std::vector<images::LayerRow> rows;
    for (const LayerSlot& slot : layers.slots) rows.push_back(*slot.row);
    if (outer.stop_requested()) return stopped_error();
    auto image = TRY(intake->put_image({layers.id.str(), repo_tags(), {repo_digest(layers.top)}, {}, rows},
                                       layers.documents));
    report("done", "", 0, 0);
    return image;
}

}  // namespace orlop::registry
