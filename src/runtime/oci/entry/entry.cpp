// Where orlop-oci begins on x86-64, before the C library does. A command that starts processes in containers
// goes on from a read-only mount of this program (launch/self.h); executing it again costs what a static C
// library does at its start (dozens of cpuid instructions, each an exit to the hypervisor in a virtual
// machine) and the page faults of it. Here that is not paid twice: nothing of the library has run yet, so
// nothing of it may be used either, not even memcpy. Whatever fails here, main does again, with words.
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

namespace {

constexpr long kReadOnly = 1;  // ST_RDONLY of statfs(2)

long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    long result = number;
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                 : "rcx", "r11", "memory");
    return result;
}

bool same(const char* a, const char* b) {
    while (*a != '\0' && *a == *b) {
        ++a;
        ++b;
    }
    return *a == *b;
}

bool starts(const char* text, const char* with) {
    while (*with != '\0' && *text == *with) {
        ++text;
        ++with;
    }
    return *with == '\0';
}

// A container's id may have such a name too: then this was for nothing, and nothing worse. With systemd main
// has to look first where its helper is: beside a file that has no path any more afterwards.
bool meets_containers(char** argv) {
    bool meets = false;
    for (; *argv != nullptr; ++argv) {
        if (starts(*argv, "--systemd-cgroup") || starts(*argv, "--cgroup-manager")) return false;
        meets = meets || same(*argv, "create") || same(*argv, "run") || same(*argv, "exec");
    }
    return meets;
}

long address(const void* p) {
    return reinterpret_cast<long>(p);
}

bool is_protected(const char* exe) {
    const long fd = call(SYS_openat, AT_FDCWD, address(exe), O_RDONLY | O_CLOEXEC);
    struct statfs fs;
    const long told = fd < 0 ? fd : call(SYS_fstatfs, fd, address(&fs));
    if (fd >= 0) call(SYS_close, fd);
    return told != 0 || (fs.f_flags & kReadOnly) != 0;
}

}  // namespace

// `stack` as the kernel leaves it (System V ABI): argc, argv, null, environment, null.
extern "C" void orlop_early(long* stack) {
    char** argv = reinterpret_cast<char**>(stack + 1);
    char** env = argv + stack[0] + 1;
    const char exe[] = "/proc/self/exe";
    if (stack[0] < 2 || !meets_containers(argv) || is_protected(exe)) return;
    const long tree = call(SYS_open_tree, AT_FDCWD, address(exe), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0) return;
    const mount_attr attr{
        .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
    const char empty[] = "";
    if (call(SYS_mount_setattr, tree, address(empty), AT_EMPTY_PATH, address(&attr), sizeof attr) == 0) {
        call(SYS_execveat, tree, address(empty), address(argv), address(env), AT_EMPTY_PATH);
    }
    call(SYS_close, tree);
}

// _start, the C library's own entry, wants the stack and rdx as the kernel made them.
asm(R"(
    .globl orlop_entry
    .type orlop_entry, @function
orlop_entry:
    xorl %ebp, %ebp
    movq %rsp, %rbx
    movq %rdx, %r12
    movq %rsp, %rdi
    andq $-16, %rsp
    call orlop_early
    movq %rbx, %rsp
    movq %r12, %rdx
    jmp _start
    .size orlop_entry, . - orlop_entry
)");
