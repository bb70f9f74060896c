// Records on disk and in memory. The single door for a change is update(): a pure function of the old record,
// the new one written atomically, and only then seen by readers.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/dir.h"
#include "base/strong.h"

namespace orlop::core {

// A directory of the store that was found at start and is not a record.
struct Leftover {
    std::string name;
    std::string reason;  // "" = half made or half removed, else what is broken in its record
};

template <class Record>
class Store {
  public:
    using Ptr = std::shared_ptr<const Record>;

    // Makes `path` if needed; 0700, for it holds what containers write.
    static Result<std::unique_ptr<Store>> open(const std::string& path) {
        return std::unique_ptr<Store>(new Store(TRY(Dir::make(path, 0700))));
    }

    // Reads every record; what is no record is returned and left alone.
    Result<std::vector<Leftover>> load() {
        std::vector<Leftover> leftovers;
        for (const std::string& name : TRY(dir_.list())) {
            if (auto reason = load_one(name)) leftovers.push_back({name, *reason});
        }
        return leftovers;
    }

    // The directory of a new record; insert() makes it one.
    Result<Dir> make_directory(const std::string& id) { return dir_.make_dir(id, 0700); }

    Status insert(Record record) {
        TRY(write(record));
        std::lock_guard lock(mutex_);
        auto entry = std::make_shared<Entry>();
        const std::string id = record.id;
        entry->record = std::make_shared<const Record>(std::move(record));
        entries_[id] = std::move(entry);
        changed_.notify_all();
        return ok();
    }

    Result<Ptr> update(const std::string& id, const std::function<Record(Record)>& transform) {
        std::shared_ptr<Entry> entry;
        {
            std::lock_guard lock(mutex_);
            auto found = entries_.find(id);
            if (found == entries_.end()) return missing(id);
            entry = found->second;
        }
        std::lock_guard writing(entry->writing);
        if (entry->erased) return missing(id);
        auto next = std::make_shared<const Record>(transform(*entry->record));
        if (encode(*next) == encode(*entry->record)) return Ptr(entry->record);
        TRY(write(*next));
        std::lock_guard lock(mutex_);
        entry->record = next;
        changed_.notify_all();
        return Ptr(next);
    }

    Ptr get(const std::string& id) const {
        std::lock_guard lock(mutex_);
        auto found = entries_.find(id);
        return found == entries_.end() ? nullptr : found->second->record;
    }

    std::vector<Ptr> list() const {
        std::lock_guard lock(mutex_);
        std::vector<Ptr> out;
        for (const auto& [id, entry] : entries_) out.push_back(entry->record);
        return out;
    }

    // By id or a unique beginning of it. NotFound, or Invalid when several match.
    Result<Ptr> resolve(const std::string& prefix) const {
        std::lock_guard lock(mutex_);
        auto at = prefix.empty() ? entries_.end() : entries_.lower_bound(prefix);
        if (at == entries_.end() || at->first.compare(0, prefix.size(), prefix) != 0) return missing(prefix);
        auto next = std::next(at);
        if (next != entries_.end() && next->first.compare(0, prefix.size(), prefix) == 0) {
            return Error::invalid(std::string(Record::kWhat) + " id \"" + prefix + "\" matches several");
        }
        return Ptr(at->second->record);
    }

    // Waits until `done` holds for the record (nullptr once it is gone); false when time is up.
    bool wait(const std::string& id, const std::function<bool(const Record*)>& done, Nanos timeout) const {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, timeout, [&] {
            auto found = entries_.find(id);
            return done(found == entries_.end() ? nullptr : found->second->record.get());
        });
    }

    // From here on the record is gone for every reader, also after a crash; then its directory goes.
    Status erase(const std::string& id) {
        {
            std::unique_lock lock(mutex_);
            auto found = entries_.find(id);
            if (found != entries_.end()) {
                std::shared_ptr<Entry> entry = found->second;
                lock.unlock();
                std::lock_guard writing(entry->writing);
                if (!entry->erased) TRY(retire(id));
                entry->erased = true;
                lock.lock();
                entries_.erase(id);
                changed_.notify_all();
            }
        }
        return discard(id);
    }

    // Removes a directory without a record, and what erase() may have left of it.
    Status discard(const std::string& id) {
        TRY(dir_.remove_tree(trash(id)));
        return dir_.remove_tree(id);
    }

    const Dir& dir() const { return dir_; }

  private:
    struct Entry {
        std::mutex writing;   // one change of this record at a time; never taken while holding mutex_
        Ptr record;           // guarded by mutex_ for writing; stable while `writing` is held
        bool erased = false;  // guarded by writing
    };

    explicit Store(Dir dir) : dir_(std::move(dir)) {}

    static Error missing(const std::string& id) {
        return Error::not_found(std::string(Record::kWhat) + " \"" + id + "\" does not exist");
    }

    static std::string trash(const std::string& id) { return ".removing-" + id; }

    Status write(const Record& record) {
        Dir dir = TRY(dir_.make_dir(record.id, 0700));
        return dir.write_atomic(Record::kFile, encode(record));
    }

    // One rename takes the whole directory away.
    Status retire(const std::string& id) {
        TRY(dir_.remove_tree(trash(id)));
        if (renameat(dir_.fd(), id.c_str(), dir_.fd(), trash(id).c_str()) != 0 && errno != ENOENT) {
            return Error::sys("rename " + dir_.path() + "/" + id);
        }
        return ok();
    }

    // Nothing when it became a record.
    std::optional<std::string> load_one(const std::string& name) {
        if (!HexIdRule::check(name)) return name.starts_with(".") ? "" : "its name is not an id";
        auto text = dir_.read(name + "/" + Record::kFile);
        if (!text) {
            if (text.error().errnum() == ENOENT || text.error().kind() == Kind::NotFound) return "";
            return text.error().what();
        }
        auto record = decode_record(*text, static_cast<const Record*>(nullptr));
        if (!record) return record.error().what();
        if (record->id != name) return "it is the record of another id";
        auto entry = std::make_shared<Entry>();
        entry->record = std::make_shared<const Record>(std::move(*record));
        std::lock_guard lock(mutex_);
        entries_[name] = std::move(entry);
        return std::nullopt;
    }

    Dir dir_;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::map<std::string, std::shared_ptr<Entry>> entries_;  // guarded by mutex_
};

}  // namespace orlop::core
