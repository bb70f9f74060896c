#include "runtime/oci/spec/parts.h"

namespace orlop::oci {

namespace {

Status read_list(const Field& list, std::vector<launch::Hook>& out) {
    for (const Field& from : TRY(list.items())) {
        launch::Hook hook;
        TRY(from.object());
        hook.path = TRY(from["path"].required_text());
        if (hook.path.front() != '/') return from["path"].wrong("must be absolute");
        hook.args = TRY(from["args"].texts());
        hook.env = TRY(from["env"].texts());
        const auto timeout = TRY(from["timeout"].integer(INT32_MIN, INT32_MAX));
        if (timeout && *timeout <= 0) return from["timeout"].wrong("must be above 0");
        if (timeout) hook.timeout_seconds = static_cast<int32_t>(*timeout);
        out.push_back(std::move(hook));
    }
    return ok();
}

}  // namespace

Status read_hooks(const Field& from, ContainerSpec& spec) {
    TRY(from.object());
    TRY(read_list(from["prestart"], spec.hooks.prestart));
    TRY(read_list(from["createRuntime"], spec.hooks.create_runtime));
    TRY(read_list(from["createContainer"], spec.plan.create_container));
    TRY(read_list(from["startContainer"], spec.plan.start_container));
    TRY(read_list(from["poststart"], spec.hooks.poststart));
    return read_list(from["poststop"], spec.hooks.poststop);
}

}  // namespace orlop::oci
