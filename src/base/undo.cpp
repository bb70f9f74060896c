#include "base/undo.h"

namespace orlop {

Status UndoStack::unwind() {
    std::optional<Error> first;
    while (!entries_.empty()) {
        Entry entry = std::move(entries_.back());
        entries_.pop_back();
        if (auto r = entry.undo(); !r) {
            Error error = std::move(r).error().under("undo " + entry.label);
            first = first ? std::move(*first).also(error) : std::move(error);
        }
    }
    return first ? Status(std::move(*first)) : ok();
}

}  // namespace orlop
