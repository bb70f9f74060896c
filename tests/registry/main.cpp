// orlop-test-registry: a registry for tests, which only pulls, and where a test says what goes wrong.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl.hpp>
#include <fstream>
#include <iostream>
#include <thread>

#include "connection.h"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

struct Options {
    std::string content, listen = "127.0.0.1", port_file, faults, certificate, key, user;
    uint16_t port = 0;
    long token_seconds = 300;
    orlop::test_registry::GuardOptions guard;
};

int parse(int argc, char** argv, Options& options) {
    CLI::App app("A registry for tests that serves an OCI image layout, with faults on request");
    app.add_option("--content", options.content, "OCI image layout")->required();
    app.add_option("--listen", options.listen, "Address");
    app.add_option("--port", options.port, "Port; 0 takes a free one");
    app.add_option("--port-file", options.port_file, "Gets the port as soon as the server listens");
    app.add_option("--faults", options.faults, "JSON file of rules (see faults.h)");
    app.add_option("--auth", options.guard.scheme, "none, basic or bearer")
        ->check(CLI::IsMember({"none", "basic", "bearer"}));
    app.add_option("--user", options.user, "NAME:PASSWORD");
    app.add_option("--identity-token", options.guard.identity_token, "Taken for a refresh token");
    app.add_option("--token-seconds", options.token_seconds, "How long a token is good");
    app.add_option("--tls-cert", options.certificate, "PEM; https instead of http");
    app.add_option("--tls-key", options.key, "PEM");
    CLI11_PARSE(app, argc, argv);
    const size_t colon = options.user.find(':');
    if (colon != std::string::npos) {
        options.guard.user = options.user.substr(0, colon);
        options.guard.password = options.user.substr(colon + 1);
    }
    options.guard.lifetime = std::chrono::seconds(options.token_seconds);
    return -1;
}

void add_faults(const std::string& path, orlop::test_registry::Registry& registry) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (const auto wrong = registry.faults().add(text)) throw std::runtime_error(path + ": " + *wrong);
}

// Renamed into place: whoever sees the file reads a whole number.
void write_port(const std::string& path, uint16_t port) {
    std::ofstream(path + ".new") << port << "\n";
    if (std::rename((path + ".new").c_str(), path.c_str()) != 0)
        throw std::runtime_error("cannot write " + path);
}

void serve(const Options& options) {
    using namespace orlop::test_registry;
    Registry registry(options.content, options.guard);
    if (!options.faults.empty()) add_faults(options.faults, registry);
    asio::ssl::context tls(asio::ssl::context::tls_server);
    if (!options.certificate.empty()) {
        tls.use_certificate_chain_file(options.certificate);
        tls.use_private_key_file(options.key, asio::ssl::context::pem);
    }
    asio::io_context context;
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::make_address(options.listen), options.port));
    const uint16_t port = acceptor.local_endpoint().port();
    if (!options.port_file.empty()) write_port(options.port_file, port);
    std::cout << "listening on " << options.listen << ":" << port << std::endl;
    for (;;) {
        tcp::socket socket = acceptor.accept();
        std::thread([&, socket = std::move(socket)]() mutable {
            if (options.certificate.empty())
                serve_plain(std::move(socket), registry);
            else
                serve_tls(std::move(socket), tls, registry);
        }).detach();
    }
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (const int code = parse(argc, argv, options); code >= 0) return code;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, [](int) { _exit(0); });
    signal(SIGINT, [](int) { _exit(0); });
    try {
        serve(options);
    } catch (const std::exception& error) {
        std::cerr << "orlop-test-registry: " << error.what() << "\n";
    }
    return 1;
}
