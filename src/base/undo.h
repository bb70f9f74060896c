// What has to be taken back when multi-step work fails half way.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace orlop {

// Entries run in reverse order; every entry runs even if one fails. `commit` keeps the work.
class UndoStack {
  public:
    UndoStack() = default;
    UndoStack(const UndoStack&) = delete;
    UndoStack& operator=(const UndoStack&) = delete;
    // Leaving scope without commit() or unwind() undoes too; errors are then lost, so call unwind().
    ~UndoStack() { (void)unwind(); }

    void push(std::string label, std::function<Status()> undo) {
        entries_.push_back({std::move(label), std::move(undo)});
    }
    void commit() { entries_.clear(); }
    // All failures joined, each under its label.
    Status unwind();

  private:
    struct Entry {
        std::string label;
        std::function<Status()> undo;
    };
    std::vector<Entry> entries_;
};

}  // namespace orlop
