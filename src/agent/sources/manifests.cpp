#include "agent/sources/manifests.h"

#include <algorithm>
#include <set>

#include "agent/sources/static_pod.h"
#include "base/dir.h"

namespace orlop::agent {

Stamps ManifestStore::known() const {
    Stamps out;
    for (const auto& [name, file] : files_) out.emplace(name, file.stamp);
    return out;
}

bool ManifestStore::take(Result<std::map<std::string, ScannedFile>> scanned, const std::string& folder,
                         Nanos now) {
    folder_ = folder;
    if (!scanned) {
        // What cannot be read says nothing about what is wanted.
        folder_error_ = scanned.error().what();
        collect_reports();
        return false;
    }
    folder_error_.clear();
    bool changed = !ready_;
    ready_ = true;
    for (auto at = files_.begin(); at != files_.end();) {
        if (scanned->contains(at->first)) {
            ++at;
            continue;
        }
        changed = changed || !at->second.pods.empty();
        forget(at->first);
        at = files_.erase(at);
    }
    for (auto& [name, file] : *scanned) changed = take_file(name, file, now) || changed;
    collect_reports();
    return changed;
}

bool ManifestStore::take_file(const std::string& name, ScannedFile& scanned, Nanos now) {
    if (!scanned.pods) return false;
    const auto [at, added] = files_.try_emplace(name);
    File& file = at->second;
    file.stamp = scanned.stamp;
    if (*scanned.pods) return accept(name, file, **scanned.pods, now);
    file.error = scanned.pods->error().what();
    return added && recall(name, file, now);
}

bool ManifestStore::accept(const std::string& name, File& file, std::vector<kube::ReadPod>& pods, Nanos now) {
    file.error.clear();
    file.warnings.clear();
    std::vector<DesiredPod> fresh;
    for (const kube::ReadPod& read : pods) {
        for (const kube::Finding& finding : read.warnings) file.warnings.push_back({name, finding.text()});
        if (!read.refusals.empty()) file.error = kube::join(read.refusals);
        DesiredPod pod = make_static_pod(read, node_, folder_ + "/" + name, now);
        const auto same = std::find_if(file.pods.begin(), file.pods.end(), [&](const DesiredPod& old) {
            return old.pod->meta.uid == pod.pod->meta.uid &&
                   old.pod->spec.containers.front().hash == pod.pod->spec.containers.front().hash &&
                   read.pod.meta.uid.empty();
        });
        fresh.push_back(same == file.pods.end() ? std::move(pod) : *same);
    }
    // What cannot be run yet must not end what runs: the last good version stays.
    if (!file.error.empty() && !file.pods.empty()) return false;
    if (file.error.empty())
        remember(name, pods);
    else if (recall(name, file, now))
        return true;
    const auto equal = [](const DesiredPod& a, const DesiredPod& b) { return a.pod == b.pod; };
    const bool changed = !std::equal(fresh.begin(), fresh.end(), file.pods.begin(), file.pods.end(), equal);
    file.pods = std::move(fresh);
    return changed;
}

// --- last good on disk ------------------------------------------------------------------------------------

void ManifestStore::remember(const std::string& name, const std::vector<kube::ReadPod>& pods) {
    if (memory_dir_.empty()) return;
    kube::Json list = kube::Json::array();
    for (const kube::ReadPod& read : pods) list.push_back(read.document);
    const std::string text = list.dump(-1, ' ', false, kube::Json::error_handler_t::replace);
    const auto dir = Dir::make(memory_dir_, 0700);
    if (!dir || dir->read(name + ".json").value_or("") == text) return;
    if (auto written = dir->write_atomic(name + ".json", text); !written)
        folder_error_ = "last good copy: " + written.error().what();
}

bool ManifestStore::recall(const std::string& name, File& file, Nanos now) {
    if (memory_dir_.empty()) return false;
    const auto dir = Dir::open(memory_dir_);
    if (!dir) return false;
    const auto text = dir->read(name + ".json");
    if (!text) return false;
    const auto documents = kube::parse_documents(*text);
    if (!documents || documents->size() != 1 || !documents->front().is_array()) return false;
    std::vector<DesiredPod> pods;
    for (const kube::Json& document : documents->front()) {
        const auto read = kube::read_pod(document);
        if (!read || !read->refusals.empty()) return false;
        pods.push_back(make_static_pod(*read, node_, folder_ + "/" + name, now));
    }
    file.pods = std::move(pods);
    return true;
}

void ManifestStore::forget(const std::string& name) {
    if (memory_dir_.empty()) return;
    if (const auto dir = Dir::open(memory_dir_); dir) (void)dir->unlink(name + ".json");
}

// --- what is wanted ---------------------------------------------------------------------------------------

std::vector<DesiredPod> ManifestStore::desired() const {
    std::vector<DesiredPod> out;
    std::set<std::string> names;
    std::set<std::string> uids;
    for (const auto& [name, file] : files_) {
        for (const DesiredPod& pod : file.pods) {
            if (names.insert(pod.pod->full_name()).second && uids.insert(pod.pod->meta.uid).second)
                out.push_back(pod);
        }
    }
    return out;
}

void ManifestStore::collect_reports() {
    errors_.clear();
    warnings_.clear();
    if (!folder_error_.empty()) errors_.push_back({folder_, folder_error_});
    std::map<std::string, std::string> first;
    for (const auto& [name, file] : files_) {
        if (!file.error.empty()) errors_.push_back({name, file.error});
        for (const ManifestError& each : file.warnings) warnings_.push_back(each);
        for (const DesiredPod& pod : file.pods) {
            const auto [at, added] = first.emplace(pod.pod->full_name(), name);
            if (!added)
                errors_.push_back(
                    {name, "pod " + pod.pod->full_name() + " is already defined in " + at->second});
        }
    }
}

}  // namespace orlop::agent
