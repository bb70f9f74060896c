#include "runtime/seccomp/filter.h"

#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/dir.h"

namespace orlop::seccomp {

Result<SeccompFilter> SeccompFilter::make(uint32_t default_action) {
    void* context = seccomp_init(default_action);
    if (context == nullptr) return Error::invalid("seccomp: default action is not known to libseccomp");
    SeccompFilter filter(context, default_action);
    // Level 2 is a search tree by system call number: the kernel runs the whole filter for every number when
    // it is loaded, which a chain of comparisons makes slow.
    if (int r = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2); r != 0) {
        return Error::sys("seccomp: set optimization", -r);
    }
    return filter;
}

Status SeccompFilter::add_architecture(uint32_t architecture) {
    if (int r = seccomp_arch_add(context_.get(), architecture); r != 0 && r != -EEXIST) {
        return Error::sys("seccomp: add architecture", -r);
    }
    return ok();
}

Status SeccompFilter::add(std::string_view syscall, uint32_t action,
                          const std::vector<scmp_arg_cmp>& conditions) {
    // libseccomp refuses a rule that says what the default says already.
    if (action == default_action_) return ok();
    const std::string name(syscall);
    const int number = seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) return ok();
    const int r = seccomp_rule_add_array(context_.get(), action, number,
                                         static_cast<unsigned>(conditions.size()), conditions.data());
    if (r != 0 && r != -EEXIST) return Error::sys("seccomp: add rule for " + name, -r);
    return ok();
}

Status SeccompFilter::add_all(std::string_view syscalls, uint32_t action) {
    constexpr std::string_view kSpace = " \n";
    for (size_t at = syscalls.find_first_not_of(kSpace); at != std::string_view::npos;) {
        const size_t end = std::min(syscalls.find_first_of(kSpace, at), syscalls.size());
        TRY(add(syscalls.substr(at, end - at), action));
        at = syscalls.find_first_not_of(kSpace, end);
    }
    return ok();
}

Result<std::string> SeccompFilter::compile() const {
    // libseccomp 2.5 writes filters to a descriptor only.
    UniqueFd file(memfd_create("seccomp", MFD_CLOEXEC));
    if (!file) return Error::sys("memfd_create");
    if (int r = seccomp_export_bpf(context_.get(), file.get()); r != 0) {
        return Error::sys("seccomp: compile filter", -r);
    }
    if (lseek(file.get(), 0, SEEK_SET) != 0) return Error::sys("lseek");
    std::string program = TRY(read_all(file.get()));
    if (program.size() > BPF_MAXINSNS * sizeof(sock_filter)) {
        return Error(Kind::Exhausted, "seccomp: filter has " +
                                          std::to_string(program.size() / sizeof(sock_filter)) +
                                          " instructions, the kernel takes " + std::to_string(BPF_MAXINSNS));
    }
    return program;
}

}  // namespace orlop::seccomp
