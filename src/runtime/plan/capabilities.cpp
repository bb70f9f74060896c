#include <linux/capability.h>

#include "base/weak.h"
#include "runtime/launch/capability_names.h"
#include "runtime/plan/parts.h"

namespace orlop::plan {

namespace {

using launch::all_capabilities;
using launch::capability_number;
using launch::same_ignoring_case;

// What containers hold unless told otherwise; both peers' sets are within it.
constexpr unsigned kDefault[] = {CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,           CAP_FOWNER,
                                 CAP_MKNOD,   CAP_NET_RAW,      CAP_SETGID,           CAP_SETUID,
                                 CAP_SETFCAP, CAP_SETPCAP,      CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,
                                 CAP_KILL,    CAP_AUDIT_WRITE};

struct NameList {
    uint64_t mask = 0;
    bool all = false;
};

Result<NameList> read_names(std::string_view field,
                            const google::protobuf::RepeatedPtrField<std::string>& names) {
    NameList list;
    for (int i = 0; i < names.size(); ++i) {
        if (same_ignoring_case(names[i], "ALL") || same_ignoring_case(names[i], "CAP_ALL")) {
            list.all = true;
            continue;
        }
        const auto number = capability_number(names[i]);
        if (!number) {
            return Error::invalid("linux.security_context.capabilities." + std::string(field) + "[" +
                                  std::to_string(i) + "]: unknown capability \"" + printable(names[i]) +
                                  "\"");
        }
        list.mask |= uint64_t{1} << *number;
    }
    return list;
}

}  // namespace

Result<launch::Capabilities> plan_capabilities(const cri::LinuxContainerSecurityContext& security,
                                               const NodeFacts& facts) {
    if (security.privileged()) {
        const uint64_t all = facts.capabilities;
        return launch::Capabilities{all, all, all, 0, 0};
    }
    const NameList add = TRY(read_names("add_capabilities", security.capabilities().add_capabilities()));
    const NameList drop = TRY(read_names("drop_capabilities", security.capabilities().drop_capabilities()));
    const NameList ambient =
        TRY(read_names("add_ambient_capabilities", security.capabilities().add_ambient_capabilities()));

    // "ALL" first, so that single names can still add to "drop ALL" and take away from "add ALL".
    uint64_t mask = 0;
    for (const unsigned number : kDefault) mask |= uint64_t{1} << number;
    if (add.all || ambient.all) mask = all_capabilities();
    if (drop.all) mask = 0;
    mask |= add.mask | ambient.mask;
    mask &= ~drop.mask & facts.capabilities;

    // The inheritable set stays empty (CVE-2022-29162) but for what is ambient: the kernel keeps a capability
    // ambient only while it is inheritable, capabilities(7).
    if (weakened("inheritable")) return launch::Capabilities{mask, mask, mask, mask, 0};
    const uint64_t kept = (ambient.all ? all_capabilities() : ambient.mask) & mask;
    return launch::Capabilities{mask, mask, mask, kept, kept};
}

}  // namespace orlop::plan
