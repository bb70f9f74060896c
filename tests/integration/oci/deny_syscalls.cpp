// deny_syscalls NAME,NAME... -- PROGRAM ARGUMENT...: runs the program, and all its children, on a kernel that
// answers ENOSYS to these system calls. What libseccomp itself does not know has to be given as a number.
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <string>

namespace {

int number_of(const std::string& name) {
    if (!name.empty() && name.find_first_not_of("0123456789") == std::string::npos)
        return std::atoi(name.c_str());
    return seccomp_syscall_resolve_name(name.c_str());
}

bool deny(const std::string& list) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == nullptr) return false;
    // Otherwise no_new_privs would be set, and a container that must not have it would.
    bool good = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) == 0;
    std::istringstream names(list);
    std::string name;
    while (good && std::getline(names, name, ',')) {
        const int number = number_of(name);
        if (number == __NR_SCMP_ERROR) {
            fprintf(stderr, "deny_syscalls: unknown system call '%s'\n", name.c_str());
            good = false;
        } else {
            good = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0) == 0;
        }
    }
    good = good && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return good;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4 || strcmp(argv[2], "--") != 0) {
        fprintf(stderr, "usage: deny_syscalls NAME,... -- PROGRAM ARGUMENT...\n");
        return 2;
    }
    if (!deny(argv[1])) {
        fprintf(stderr, "deny_syscalls: the filter is not installed\n");
        return 125;
    }
    execvp(argv[3], argv + 3);
    fprintf(stderr, "deny_syscalls: %s: %s\n", argv[3], strerror(errno));
    return 127;
}
