// What orlop-runtime and a pod's orlop-shim say to each other: one packet a message on a SOCK_SEQPACKET
// socket (<run>/shims/<sandbox id>/shim.sock, 0600 in a 0700 directory).
//
//   daemon                              shim
//     Hello            ──────────────▶        what it has, after any restart of the daemon
//     CreateSandbox    ──────────────▶        starts pause; once
//     StartContainer   ──────────────▶        plan in a memfd (SCM_RIGHTS)
//     Exec             ──────────────▶        plan in a memfd, then stdin, stdout, stderr; with a terminal
//     its
//                                             controlling side comes with the reply instead
//     Attach           ──────────────▶        a socket whose end is the end, then the streams asked for
//     Signal, ReopenLog, Forget, Resize, Shutdown ─▶
//            ◀──────────────  Reply           same request number, one each, in any order
//            ◀──────────────  Exited, ExecExited, Oom   request number 0, to every connected daemon
//
// The shim holds an exit until Forget, and writes it to <run>/shims/<sandbox id>/exits/<container id> first,
// so that neither side's death loses it. An Oom of a container always comes before its Exited.
//
// Both sides may be of different releases: a daemon is updated under running pods. Messages and fields are
// only ever added (launch/codec.h); a message that a shim does not know is answered Failed, Unimplemented.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/launch/codec.h"

namespace orlop::shim {

inline constexpr uint32_t kProtocolVersion = 3;
inline constexpr uint32_t kOldestProtocol = 3;
// A packet is small: plans travel in memfds. Larger ones are refused.
inline constexpr size_t kMaxPacket = 64u << 10;
inline constexpr size_t kMaxFds = 4;

struct Hello {};
struct CreateSandbox {};          // fds: [PausePlan memfd]
struct StartContainer {           // fds: [LaunchPlan memfd]
    std::string log_path;         // "" = no log: output is dropped
    bool stdin_open = false;      // stdin stays open (nothing attached yet); otherwise /dev/null
    bool stdin_once = false;      // the end of the first attached client's input is the end of stdin
    std::string log_directory{};  // a beginning of log_path: what follows is not looked for through symlinks
};
struct Exec {  // fds: [ExecPlan memfd, stdin, stdout, stderr], or with a terminal the memfd alone
    std::string container;
    std::string exec_id;
};
struct Signal {
    std::string container;  // or "" with exec_id
    std::string exec_id;
    int32_t signal = 0;
    bool everything = false;  // all processes of the container's cgroup, not only its first
};
struct ReopenLog {
    std::string container;
};
struct Forget {  // of an exited container: its exit record is no longer needed
    std::string container;
};
struct Shutdown {};  // kills pause and ends; refused (Precondition) while a container runs

struct Exit {
    std::string container;
    int32_t code = 0;        // 128+n for death by signal n
    bool oom = false;        // the kernel OOM-killed something in it
    int64_t started_at = 0;  // ns since the epoch
    int64_t finished_at = 0;
};

struct ContainerState {
    std::string id;
    int32_t pid = 0;  // in the host's pid namespace; 0 when exited
    int64_t started_at = 0;
    std::optional<Exit> exit;
};

struct Snapshot {  // reply to Hello
    uint32_t protocol = kProtocolVersion;
    int32_t shim_pid = 0;
    int32_t pause_pid = 0;  // 0: none (yet, or died)
    std::vector<ContainerState> containers;
};

struct Started {  // reply to CreateSandbox, StartContainer, Exec
    int32_t pid = 0;
    int64_t started_at = 0;
    uint32_t uid = 0, gid = 0;
    std::vector<uint32_t> groups;
};

struct Done {};  // reply to the others
struct Failed {  // reply to any
    Kind kind = Kind::Failed;
    int32_t errnum = 0;
    std::string what;
};

struct Exited {
    Exit exit;
};
struct ExecExited {
    std::string exec_id;
    int32_t code = 0;
};
struct Oom {
    std::string container;
};

// Live streams from now on. fds: [control, in, out, err] as far as they are asked for; `in` is read, the
// others are written and never waited for: who is a pipe's capacity behind is let go. The shim closes all of
// them at the container's end; the daemon's closing `control` is the end of the attachment.
struct Attach {
    std::string container;
    bool in = false, out = false, err = false;
};
struct Resize {  // of the container's terminal, in characters
    std::string container;
    uint16_t width = 0, height = 0;
};

// The order is the wire's: append only.
using Body = std::variant<Hello, CreateSandbox, StartContainer, Exec, Signal, ReopenLog, Forget, Shutdown,
                          Snapshot, Started, Done, Failed, Exited, ExecExited, Oom, Attach, Resize>;

struct Message {
    uint64_t request = 0;  // 0 = event
    Body body;
    bool unknown = false;  // of a newer release; `body` means nothing
};

std::string encode_message(const Message& message);
Result<Message> decode_message(std::string_view packet);

// One packet with its fds. EAGAIN from a non-blocking socket is Unavailable; the peer gone is NotFound.
Status send_message(int socket, const Message& message, const std::vector<int>& fds = {});
struct Received {
    Message message;
    std::vector<UniqueFd> fds;
};
Result<Received> receive_message(int socket);

// The exit record as it is kept in its file.
std::string exit_record(const Exit& exit);
Result<Exit> parse_exit_record(std::string_view bytes);

// A sealed memfd with `bytes`, and back.
Result<UniqueFd> bytes_to_memfd(const char* name, std::string_view bytes);

template <class A>
void fields(A&, Hello&) {}
template <class A>
void fields(A&, CreateSandbox&) {}
template <class A>
void fields(A& a, StartContainer& m) {
    a(m.log_path, m.stdin_open, m.stdin_once, m.log_directory);
}
template <class A>
void fields(A& a, Exec& m) {
    a(m.container, m.exec_id);
}
template <class A>
void fields(A& a, Signal& m) {
    a(m.container, m.exec_id, m.signal, m.everything);
}
template <class A>
void fields(A& a, ReopenLog& m) {
    a(m.container);
}
template <class A>
void fields(A& a, Forget& m) {
    a(m.container);
}
template <class A>
void fields(A&, Shutdown&) {}
template <class A>
void fields(A& a, Exit& m) {
    a(m.container, m.code, m.oom, m.started_at, m.finished_at);
}
template <class A>
void fields(A& a, ContainerState& m) {
    a(m.id, m.pid, m.started_at, m.exit);
}
template <class A>
void fields(A& a, Snapshot& m) {
    a(m.protocol, m.shim_pid, m.pause_pid, m.containers);
}
template <class A>
void fields(A& a, Started& m) {
    a(m.pid, m.started_at, m.uid, m.gid, m.groups);
}
template <class A>
void fields(A&, Done&) {}
template <class A>
void fields(A& a, Failed& m) {
    a(m.kind, m.errnum, m.what);
}
template <class A>
void fields(A& a, Exited& m) {
    a(m.exit);
}
template <class A>
void fields(A& a, ExecExited& m) {
    a(m.exec_id, m.code);
}
template <class A>
void fields(A& a, Oom& m) {
    a(m.container);
}
template <class A>
void fields(A& a, Attach& m) {
    a(m.container, m.in, m.out, m.err);
}
template <class A>
void fields(A& a, Resize& m) {
    a(m.container, m.width, m.height);
}

}  // namespace orlop::shim
