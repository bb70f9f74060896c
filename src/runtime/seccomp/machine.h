// The kernel's view of a filter, for tests: classic BPF over struct seccomp_data.
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <string>

namespace orlop::seccomp {

// SECCOMP_RET_* with its data, or ~0 for a program that is not sound.
inline uint32_t run_filter(const std::string& program, const seccomp_data& data) {
    const size_t count = program.size() / sizeof(sock_filter);
    uint32_t a = 0;
    for (size_t at = 0; at < count; ++at) {
        sock_filter step;
        std::memcpy(&step, program.data() + at * sizeof step, sizeof step);
        const auto jump = [&](bool condition) { at += condition ? step.jt : step.jf; };
        switch (step.code) {
            case BPF_LD | BPF_W | BPF_ABS:
                if (step.k + sizeof a > sizeof data) return ~0u;
                std::memcpy(&a, reinterpret_cast<const char*>(&data) + step.k, sizeof a);
                break;
            case BPF_ALU | BPF_AND | BPF_K:
                a &= step.k;
                break;
            case BPF_JMP | BPF_JA:
                at += step.k;
                break;
            case BPF_JMP | BPF_JEQ | BPF_K:
                jump(a == step.k);
                break;
            case BPF_JMP | BPF_JGT | BPF_K:
                jump(a > step.k);
                break;
            case BPF_JMP | BPF_JGE | BPF_K:
                jump(a >= step.k);
                break;
            case BPF_JMP | BPF_JSET | BPF_K:
                jump((a & step.k) != 0);
                break;
            case BPF_RET | BPF_K:
                return step.k;
            default:
                return ~0u;
        }
    }
    return ~0u;
}

// Asks the filter about a system call by name on an architecture (SCMP_ARCH_*, AUDIT_ARCH_* for BPF).
inline uint32_t ask_filter(const std::string& program, const char* syscall,
                           std::initializer_list<uint64_t> args = {}, uint32_t arch = SCMP_ARCH_NATIVE) {
    if (arch == SCMP_ARCH_NATIVE) arch = seccomp_arch_native();
    seccomp_data data{};
    data.nr = seccomp_syscall_resolve_name_arch(arch, syscall);
    // x32 is x86-64 to the audit code, with a bit in the number that libseccomp has put there already.
    data.arch = arch == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch;
    size_t i = 0;
    for (const uint64_t arg : args) data.args[i++] = arg;
    return run_filter(program, data);
}

inline uint32_t errno_return(uint32_t number) {
    return SECCOMP_RET_ERRNO | number;
}

}  // namespace orlop::seccomp
