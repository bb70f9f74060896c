// The pod's own process: holds its namespaces and, as pid 1 of a shared pid namespace, reaps zombies.
// No libc: a few KiB, embedded in orlop-shim and run from a memfd, so that no pause image is ever needed.
#include <linux/prctl.h>
#include <linux/signal.h>
#include <stddef.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
static long call4(long n, long a, long b, long c, long d) {
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static long call4(long n, long a, long b, long c, long d) {
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
#else
#error "pause: add the system call instruction of this architecture"
#endif

enum { kAnyChild = -1, kNoHang = 1, kSignalSetBytes = 8 };

// Every signal stays blocked and is taken by rt_sigtimedwait(2), so nothing is lost and no handler is needed.
void _start(void) {
    static const char name[] = "pause";
    unsigned long all = ~0UL;
    call4(SYS_prctl, PR_SET_NAME, (long)name, 0, 0);
    call4(SYS_rt_sigprocmask, SIG_BLOCK, (long)&all, 0, kSignalSetBytes);
    for (;;) {
        const long signal = call4(SYS_rt_sigtimedwait, (long)&all, 0, 0, kSignalSetBytes);
        if (signal == SIGTERM || signal == SIGINT) call4(SYS_exit_group, 0, 0, 0, 0);
        while (call4(SYS_wait4, kAnyChild, 0, kNoHang, 0) > 0) {
        }
    }
}
