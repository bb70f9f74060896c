// A seccomp filter in the making: libseccomp's context behind Result. For this directory only.
#pragma once

#include <seccomp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace orlop::seccomp {

class SeccompFilter {
  public:
    // `default_action` is SCMP_ACT_*: what happens to a system call that no rule names.
    static Result<SeccompFilter> make(uint32_t default_action);

    // SCMP_ARCH_*; the one that this program runs on is always there.
    Status add_architecture(uint32_t architecture);
    // All conditions hold at once; none = always. A name that this libseccomp does not know is skipped: the
    // default action covers it. Conditions must be on different arguments.
    Status add(std::string_view syscall, uint32_t action, const std::vector<scmp_arg_cmp>& conditions = {});
    // Every name of a list separated by white space.
    Status add_all(std::string_view syscalls, uint32_t action);
    // struct sock_filter[] in host byte order. Exhausted when it is longer than the kernel takes
    // (BPF_MAXINSNS).
    Result<std::string> compile() const;

  private:
    struct Release {
        void operator()(void* context) const { seccomp_release(context); }
    };
    SeccompFilter(void* context, uint32_t default_action)
        : context_(context), default_action_(default_action) {}
    std::unique_ptr<void, Release> context_;
    uint32_t default_action_;
};

}  // namespace orlop::seccomp
