// How the child tells its parent what became of it: packets on a socket that exec closes.
//
//   child ── 'T' + fd ──▶ parent     the pseudo-terminal, if one was asked for
//   child ── 'I' ───────▶ parent     who it is; the next thing is exec
//   child ── 'E' ───────▶ parent     what failed; the child ends
//   (closed)                         exec has happened, if no 'E' came
#pragma once

#include "base/result.h"
#include "runtime/launch/launch.h"

namespace orlop::launch {

void report_terminal(int socket, int master);
void report_identity(int socket, const Identity& identity);
void report_error(int socket, const Error& error);

}  // namespace orlop::launch
