// The terminal of a detached process goes to whoever listens on --console-socket (runc's protocol: one
// message with the descriptor and a name).
#pragma once

#include <string>

#include "base/result.h"

namespace orlop::oci {

Status send_terminal(const std::string& socket_path, int terminal);

// runc's rules for which commands take --console-socket.
Status check_console(bool terminal, bool detached, const std::string& console_socket);

}  // namespace orlop::oci
