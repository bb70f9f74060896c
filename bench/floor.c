/* floor ROOTFS PROGRAM: what no container runtime can go below. The namespaces, mounts, cgroup and exec of the bundle that
 * bench/oci measures, with every value known beforehand and nothing checked, kept or reported. Its figure next to a
 * runtime's shows what that runtime adds. */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static char dirs[32][256];
static int count;

static void find_cgroups(void) { /* one directory for each v1 hierarchy, or the one of v2 */
    const char* base = "/sys/fs/cgroup";
    struct stat st;
    if (stat("/sys/fs/cgroup/cgroup.controllers", &st) == 0) {
        snprintf(dirs[count++], sizeof dirs[0], "%s/orlop-floor-%d", base, getpid());
        return;
    }
    DIR* d = opendir(base);
    if (!d) err(1, "%s", base);
    for (struct dirent* e; (e = readdir(d)) != NULL && count < 32;)
        if (e->d_type == DT_DIR && e->d_name[0] != '.')
            snprintf(dirs[count++], sizeof dirs[0], "%s/%.100s/orlop-floor-%d", base, e->d_name, getpid());
    closedir(d);
}

static void put(const char* dir, const char* file, const char* text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return; /* a hierarchy without that controller */
    if (write(fd, text, strlen(text)) < 0 && strcmp(file, "cgroup.procs") == 0) err(1, "%s", path);
    close(fd);
}

static void child(const char* rootfs, char* program) {
    for (int i = 0; i < count; i++) put(dirs[i], access(dirs[i], F_OK) == 0 ? "tasks" : "", "0");
    if (unshare(CLONE_NEWCGROUP) || sethostname("floor", 5)) err(1, "unshare");
    if (mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) || mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL) ||
        chdir(rootfs))
        err(1, "%s", rootfs);
    const unsigned long off = MS_NOSUID | MS_NOEXEC | MS_NODEV;
    mount("proc", "proc", "proc", 0, NULL);
    mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
    const struct { const char* name; int major, minor; } nodes[] = {{"dev/null", 1, 3}, {"dev/zero", 1, 5},
        {"dev/full", 1, 7}, {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
    for (int i = 0; i < 6; i++) mknod(nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor));
    mkdir("dev/pts", 0755), mkdir("dev/shm", 0755), mkdir("dev/mqueue", 0755);
    mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
    mount("shm", "dev/shm", "tmpfs", off, "mode=1777,size=65536k");
    mount("mqueue", "dev/mqueue", "mqueue", off, NULL);
    mount("sysfs", "sys", "sysfs", off | MS_RDONLY, NULL);
    if (syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/")) err(1, "pivot_root");
    mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    char* argv[] = {program, NULL};
    char* env[] = {"PATH=/bin", NULL};
    execve(program, argv, env);
    err(1, "%s", program);
}

int main(int argc, char** argv) {
    if (argc != 3) errx(2, "usage: floor ROOTFS PROGRAM");
    find_cgroups();
    for (int i = 0; i < count; i++) {
        mkdir(dirs[i], 0755);
        if (strstr(dirs[i], "/cpuset/")) put(dirs[i], "cpuset.cpus", "0-1"), put(dirs[i], "cpuset.mems", "0");
        if (strstr(dirs[i], "/devices/")) put(dirs[i], "devices.deny", "a"), put(dirs[i], "devices.allow", "c 1:3 rwm");
    }
    struct clone_args args = {.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
                              .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid < 0) err(1, "clone3");
    if (pid == 0) child(argv[1], argv[2]);
    int status = 0;
    waitpid((pid_t)pid, &status, 0);
    for (int i = 0; i < count; i++) rmdir(dirs[i]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
