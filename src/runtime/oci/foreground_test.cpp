#include "runtime/oci/foreground.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "base/dir.h"

namespace orlop::oci {
namespace {

// Signal masks and children are the whole process's: each case is a process of its own, its result the exit
// code.
int in_a_process(const std::function<int()>& body) {
    const pid_t pid = fork();
    if (pid == 0) _exit(body());
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

pid_t start(const std::function<void()>& body) {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    body();
    _exit(99);
}

int wait_for(pid_t pid, int signals, int terminal = -1) {
    return wait_in_foreground(pid, signals, terminal, true).value_or(98);
}

TEST(WaitInForeground, GivesTheProcesssExitCode) {
    EXPECT_EQ(in_a_process([] {
                  const auto signals = block_signals();
                  return wait_for(start([] { _exit(7); }), signals->get());
              }),
              7);
}

TEST(WaitInForeground, Gives128AndTheSignal) {
    EXPECT_EQ(in_a_process([] {
                  const auto signals = block_signals();
                  return wait_for(start([] { raise(SIGKILL); }), signals->get());
              }),
              128 + SIGKILL);
}

TEST(WaitInForeground, ForwardsSignals) {
    EXPECT_EQ(in_a_process([] {
                  const auto signals = block_signals();
                  const pid_t child = start([] {
                      signal(SIGTERM, [](int) { _exit(11); });
                      // It must have its handler before the signal comes: it asks for it itself.
                      kill(getppid(), SIGTERM);
                      for (;;) pause();
                  });
                  return wait_for(child, signals->get());
              }),
              11);
}

TEST(WaitInForeground, ReapsOrphansOnTheWay) {
    EXPECT_EQ(in_a_process([] {
                  const auto signals = block_signals();
                  if (!become_subreaper()) return 97;
                  const pid_t child = start([] {
                      for (int i = 0; i < 5; ++i) {
                          if (fork() == 0) _exit(1);
                      }
                      while (wait(nullptr) > 0) {
                      }
                      if (fork() == 0) _exit(2);  // left behind
                      _exit(5);
                  });
                  const int code = wait_for(child, signals->get());
                  while (waitpid(-1, nullptr, 0) > 0) {
                  }
                  return code;
              }),
              5);
}

TEST(WaitInForeground, JoinsATerminalToStdinAndStdout) {
    int in[2];
    int out[2];
    ASSERT_EQ(pipe2(in, O_CLOEXEC), 0);
    ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
    ASSERT_EQ(write(in[1], "hello\n", 6), 6);
    const int code = in_a_process([&] {
        dup2(in[0], 0);
        dup2(out[1], 1);
        const auto signals = block_signals();
        const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) return 96;
        const std::string name = ptsname(master);
        const pid_t child = start([&] {
            const int terminal = open(name.c_str(), O_RDWR);
            char line[64];
            const ssize_t n = read(terminal, line, sizeof line);
            if (n > 0) (void)write_all(terminal, "got " + std::string(line, static_cast<size_t>(n)));
            _exit(n == 6 ? 3 : 4);
        });
        return wait_for(child, signals->get(), master);
    });
    close(out[1]);
    EXPECT_EQ(code, 3);
    const std::string told = read_all(out[0]).value_or("");
    EXPECT_NE(told.find("got hello"), std::string::npos) << told;
    for (const int fd : {in[0], in[1], out[0]}) close(fd);
}

}  // namespace
}  // namespace orlop::oci
