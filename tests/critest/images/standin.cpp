// What the stand-in images run: one static program that is, by the name it is started with,
//
//   nginx [PORT]   httpd [PORT]   a web server whose every page answers 200 (default port 80)
//   nonewprivs                    prints its effective user: the image has it setuid root
//   pause                         sleeps
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <csignal>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

int fail(const char* what) {
    std::perror(what);
    return 1;
}

// As a first process it has no default dispositions: what ends it has to be said.
void end_at_signals() {
    for (const int number : {SIGTERM, SIGINT, SIGQUIT}) std::signal(number, [](int) { _exit(0); });
    std::signal(SIGPIPE, SIG_IGN);
}

void answer(int client) {
    static const char kPage[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 16\r\nConnection: close\r\n\r\n"
        "<h1>stand-in</h1>";
    char request[4096];
    size_t have = 0;
    while (have < sizeof(request) - 1) {
        const ssize_t n = read(client, request + have, sizeof(request) - 1 - have);
        if (n <= 0) break;
        have += static_cast<size_t>(n);
        request[have] = 0;
        if (std::strstr(request, "\r\n\r\n")) {
            (void)!write(client, kPage, sizeof(kPage) - 1);
            break;
        }
    }
    shutdown(client, SHUT_WR);
    close(client);
}

int serve(const std::string& name, int port) {
    sockaddr_in6 address = {};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(static_cast<uint16_t>(port));
    address.sin6_addr = in6addr_any;
    const int on = 1;
    const int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) return fail("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
        return fail("bind");
    if (listen(listener, 64) != 0) return fail("listen");
    if (FILE* pid = std::fopen(("/var/run/" + name + ".pid").c_str(), "we")) {
        std::fprintf(pid, "%d\n", getpid());
        std::fclose(pid);
    }
    std::printf("%s: serving on port %d\n", name.c_str(), port);
    std::fflush(stdout);
    for (;;) {
        const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0) answer(client);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string path = argv[0];
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name == "nonewprivs") {
        std::printf("Effective uid: %u\n", geteuid());
        return 0;
    }
    end_at_signals();
    if (name == "pause")
        for (;;) pause();
    // A web server shows itself by this title; its file's name stays what `pidof` looks for.
    const std::string title = ": master process ";
    if (const size_t at = path.find(title); at != std::string::npos)
        return serve(path.substr(0, at), argc > 1 ? std::atoi(argv[1]) : 80);
    std::string titled = name + title + path;
    argv[0] = titled.data();
    execv(path.c_str(), argv);
    return fail(path.c_str());
}
