/* peak PROGRAM ARGS...: runs it and prints its peak resident memory in KiB. Small and by a fork of its own, because the
 * kernel counts what the process was before its exec too. */
#include <err.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
    if (argc < 2) errx(2, "usage: peak PROGRAM ARGS...");
    const pid_t pid = fork();
    if (pid < 0) err(1, "fork");
    if (pid == 0) {
        execv(argv[1], argv + 1);
        err(127, "%s", argv[1]);
    }
    int status = 0;
    struct rusage usage;
    if (wait4(pid, &status, 0, &usage) != pid) err(1, "wait4");
    printf("%ld\n", usage.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
