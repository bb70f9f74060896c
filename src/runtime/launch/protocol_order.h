// How a launching parent and its child talk: packets on a socket that exec closes.
//
//   parent                                        child
//     'G' go ─────────────────────────────────────▶     it is in its cgroup, its ids are mapped
//        ◀─────────────────────────── 'B' born + pid     only when a first child made the real one
//        ◀────────────────────────────────── 'H' hooks     only if asked for: mounts made, root not entered
//     'S' state ──────────────────────────────────▶     the hooks of the host have run
//        ◀──────────────────────── 'T' terminal + fd     only if the process has one
//        ◀──────────────────────── 'C' created + who     only if asked for: the child waits at its gate
//        ◀──────────────────────────── 'I' exec + who     the last word before exec
//        ◀────────────────────────────────── 'E' error     at any time; the child ends
//     (closed)                                           exec has happened, if no 'E' came
//
// After 'C' the child goes on talking to whoever opened the gate (gate.h): 'I', then the end or 'E'.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace orlop::launch {

enum class Word : uint8_t { Go, State, Born, Hooks, Terminal, Created, Exec, Failed };

// What one side may say next; pure. A peer that says something else is broken or not ours.
class Order {
  public:
    Status next(Word word);

  private:
    Word last_ = Word::Go;
};

}  // namespace orlop::launch
