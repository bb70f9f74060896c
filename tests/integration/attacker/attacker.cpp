// What a hostile image holds: tries one thing that a container must not be able to do. Static, so that it
// runs in any image. Exit code 0: it was possible; 1: it was refused (EPERM, EACCES, ENOSYS, EROFS); 2:
// something else stood in the way, which says nothing about a defence. One line on stdout says which.
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

namespace {

int tell(const std::string& what, bool possible) {
    const int e = errno;
    if (possible) {
        std::printf("%s: possible\n", what.c_str());
        return 0;
    }
    std::printf("%s: %s\n", what.c_str(), std::strerror(e));
    return e == EPERM || e == EACCES || e == ENOSYS || e == EROFS ? 1 : 2;
}

// A kernel without the family was asked all the same.
bool asked(long result) {
    return result >= 0 || errno == EAFNOSUPPORT;
}

#if defined(__x86_64__)
// A system call of the 32-bit table, which every 64-bit process may make. Its pointers have 32 bits.
long call32(long number, long a, long b, long c) {
    long result = 0;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c)
                     : "memory", "r8", "r9", "r10", "r11");
    const int32_t value = static_cast<int32_t>(result);
    if (value < 0) errno = -value;
    return value < 0 ? -1 : value;
}

long socketcall32(long number, uint32_t a, uint32_t b, uint32_t c) {
    void* low = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED) return -1;
    const uint32_t arguments[] = {a, b, c};
    std::memcpy(low, arguments, sizeof arguments);
    return call32(102, number, static_cast<long>(reinterpret_cast<uintptr_t>(low)), 0);
}
#else
long no32() {
    errno = EOPNOTSUPP;
    return -1;
}
long call32(long, long, long, long) {
    return no32();
}
long socketcall32(long, uint32_t, uint32_t, uint32_t) {
    return no32();
}
#endif

// New namespaces, and a filesystem context in them: where the bugs behind CVE-2022-0185 and -0492 are.
int filesystem_context() {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return tell("unshare", false);
    const long context = syscall(SYS_fsopen, "tmpfs", 0u);
    if (context < 0) return tell("fsopen", false);
    return tell("fsconfig", syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "size", "65536", 0) == 0);
}

int cgroup_mount(const char* type, const char* options) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP) != 0) return tell("unshare", false);
    return tell("mount", mount("cgroup", "/tmp", type, 0, options) == 0);
}

// Abstract sockets with the word in their names: all that listen are connected to.
int abstract_sockets(const std::string& word) {
    std::ifstream table("/proc/net/unix");
    std::string line;
    int seen = 0;
    while (std::getline(table, line)) {
        const size_t at = line.find(" @");
        if (at == std::string::npos || line.find(word, at) == std::string::npos) continue;
        ++seen;
        std::istringstream fields(line);
        std::string skip, type;
        fields >> skip >> skip >> skip >> skip >> type;
        std::string name = line.substr(at + 2);
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        // The table shows NULs as '@'; names padded with them have them at their end.
        for (char& c : name) c = c == '@' ? '\0' : c;
        std::memcpy(address.sun_path + 1, name.data(), name.size());
        const int fd = socket(AF_UNIX, static_cast<int>(std::stol(type, nullptr, 16)), 0);
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        if (connect(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0)
            return tell("connect to @" + line.substr(at + 2), true);
    }
    std::printf("%d abstract sockets of that name, none to connect to\n", seen);
    return 1;
}

// Without giving up what a set-group-id bit gave.
int show(const char* path) {
    std::ifstream file(path);
    std::string text;
    if (!std::getline(file, text)) return tell(path, false);
    std::printf("%s\n", text.c_str());
    return 0;
}

int attempt(const std::string& what, const char* argument) {
    if (what == "alg") return tell(what, asked(socket(AF_ALG, SOCK_SEQPACKET, 0)));
    if (what == "alg-32") return tell(what, asked(call32(359, AF_ALG, SOCK_SEQPACKET, 0)));
    if (what == "alg-socketcall") return tell(what, asked(socketcall32(1, AF_ALG, SOCK_SEQPACKET, 0)));
    if (what == "vsock-socketcall") return tell(what, asked(socketcall32(1, AF_VSOCK, SOCK_STREAM, 0)));
    if (what == "inet-32") return tell(what, call32(359, AF_INET, SOCK_STREAM, 0) >= 0);
    if (what == "fsconfig") return filesystem_context();
    if (what == "cgroup-v1") return cgroup_mount("cgroup", argument);
    if (what == "cgroup-v2") return cgroup_mount("cgroup2", nullptr);
    if (what == "abstract") return abstract_sockets(argument);
    if (what == "show") return show(argument);
    std::fprintf(stderr, "orlop-attacker: what is %s?\n", what.c_str());
    return 3;
}

}  // namespace

int main(int argc, char** argv) {
    return argc < 2 ? 3 : attempt(argv[1], argc > 2 ? argv[2] : "");
}
