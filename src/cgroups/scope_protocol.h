// What orlop-oci (static, no libsystemd) and its helper orlop-scope say to each other over a stream socket,
// the helper's stdin and stdout:
//
//     orlop-oci                                orlop-scope
//       create|slice|set|stop UNIT ──────────▶
//       its properties ──────────────────────▶   asks systemd, waits for the job
//                      ◀──────────────────────   ok, or an error
//       (create only) keeps its lock             a member of the scope until it gets that lock
//
// Lines of fields with tabs between; an empty line ends a request.
#pragma once

#include "base/result.h"
#include "cgroups/unit_property.h"

namespace orlop::cgroups {

// The helper's descriptor of a file on which orlop-oci has a record lock (fcntl(2)).
inline constexpr int kScopeHoldFd = 3;

enum class ScopeAction {
    Create,  // a scope with the helper as its first process
    Slice,   // a slice, without processes
    Set,     // SetUnitProperties
    Stop,    // StopUnit, ResetFailedUnit; a missing unit is fine
};

struct ScopeRequest {
    ScopeAction action = ScopeAction::Stop;
    std::string unit;
    std::vector<UnitProperty> properties;
    bool operator==(const ScopeRequest&) const = default;
};

// Invalid: a name or a text with a tab or a newline.
Result<std::string> encode_request(const ScopeRequest& request);
Result<ScopeRequest> decode_request(std::string_view text);
// A whole request ends like this.
bool is_whole_request(std::string_view text);

std::string encode_reply(const Status& reply);  // one line
// The helper's error, or Failed when the text is none of its replies.
Status decode_reply(std::string_view text);

}  // namespace orlop::cgroups
