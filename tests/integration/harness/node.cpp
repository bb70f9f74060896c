#include "harness/node.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>

#include "base/dir.h"

namespace orlop::it {
namespace {

constexpr const char* kPauseImage = "docker.io/library/it-pause:1";

}  // namespace

NodePaths NodePaths::of(const std::string& name) {
    NodePaths p;
    p.base = place().base_dir + "/" + name;
    p.run = "/run/orlopit/" + name;
    p.root = p.base + "/root";
    p.state = p.run + "/state";
    p.socket = p.run + "/runtime.sock";
    p.cni_conf = p.base + "/cni/net.d";
    p.cni_cache = p.base + "/cni/cache";
    p.cni_ipam = p.base + "/cni/ipam";
    p.pod_logs = p.base + "/logs";
    p.crictl = p.base + "/crictl";
    p.log = p.base + "/runtime.log";
    return p;
}

bool connects(const std::string& unix_socket) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (unix_socket.size() >= sizeof(address.sun_path)) return false;
    std::memcpy(address.sun_path, unix_socket.c_str(), unix_socket.size());
    const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return fd && connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

Node::Node(const std::string& name) : paths_(NodePaths::of(name)) {
    // What a run that was killed left there would look like this one's.
    std::error_code error;
    std::filesystem::remove_all(paths_.base, error);
    std::filesystem::remove_all(paths_.run, error);
}

Node::~Node() {
    if (runtime_.running()) {
        const auto code = stop();
        EXPECT_TRUE(code) << code.error().what() << "\n" << log_tail();
    }
    // The bridge plugin never removes its bridge.
    (void)it::run({"/bin/sh", "-c", "ip link del orlopit0 2>/dev/null; exit 0"});
    std::error_code error;
    std::filesystem::remove_all(paths_.base, error);
    EXPECT_FALSE(error) << "something is left in " << paths_.base << ": " << error.message();
    std::filesystem::remove_all(paths_.run, error);
    EXPECT_FALSE(error) << "something is left in " << paths_.run << ": " << error.message();
}

std::string Node::cgroup_parent() const {
    return place().systemd ? "orlopit.slice" : "/orlopit";
}

std::string Node::network_config() const {
    const Json ipam = {{"type", "host-local"},
                       {"ranges", Json::array({Json::array({{{"subnet", "10.88.66.0/24"}}})})},
                       {"routes", Json::array({{{"dst", "0.0.0.0/0"}}})},
                       {"dataDir", paths_.cni_ipam}};
    const Json bridge = {
        {"type", "bridge"}, {"bridge", "orlopit0"}, {"isGateway", true}, {"ipMasq", true}, {"ipam", ipam}};
    const Json portmap = {{"type", "portmap"}, {"capabilities", {{"portMappings", true}}}};
    return Json({{"cniVersion", "1.0.0"}, {"name", "orlopit"}, {"plugins", {bridge, portmap}}}).dump(2);
}

std::vector<std::string> Node::runtime_argv(const std::vector<std::string>& extra) const {
    std::vector<std::string> argv;
    if (place().reference) {
        argv = {"/usr/bin/containerd", "--config", paths_.base + "/containerd.toml"};
    } else {
        argv = program_.empty() ? std::vector<std::string>{place().bin("orlop-runtime")} : program_;
        const std::vector<std::string> flags = {"--listen",        "unix://" + paths_.socket,
                                                "--root",          paths_.root,
                                                "--state",         paths_.state,
                                                "--cni-conf-dir",  paths_.cni_conf,
                                                "--cni-bin-dir",   place().cni_bin_dir,
                                                "--cni-cache-dir", paths_.cni_cache,
                                                "--cgroup-driver", place().systemd ? "systemd" : "cgroupfs"};
        argv.insert(argv.end(), flags.begin(), flags.end());
    }
    argv.insert(argv.end(), extra.begin(), extra.end());
    return argv;
}

Status Node::write_reference_config() const {
    const std::string cri = "plugins.\"io.containerd.grpc.v1.cri\"";
    const std::string text =
        "version = 2\nroot = \"" + paths_.root + "\"\nstate = \"" + paths_.state +
        "\"\n[grpc]\naddress = \"" + paths_.socket + "\"\n[" + cri + "]\nsandbox_image = \"" + kPauseImage +
        "\"\nrestrict_oom_score_adj = true\n[" + cri + ".cni]\nbin_dir = \"" + place().cni_bin_dir +
        "\"\nconf_dir = \"" + paths_.cni_conf + "\"\n[" + cri +
        ".containerd.runtimes.runc]\nruntime_type = \"io.containerd.runc.v2\"\n[" + cri +
        ".containerd.runtimes.runc.options]\nSystemdCgroup = " + (place().systemd ? "true" : "false") + "\n";
    return Dir::open(paths_.base)->write_atomic("containerd.toml", text);
}

Status Node::prepare() {
    for (const std::string& dir : {paths_.root, paths_.state, paths_.cni_conf, paths_.cni_cache,
                                   paths_.cni_ipam, paths_.pod_logs, paths_.crictl})
        TRY(make_dirs(dir, 0700));
    TRY(TRY(Dir::open(paths_.crictl))
            .write_atomic("crictl.yaml", "pull-image-on-create: false\ndisable-pull-on-run: true\n"));
    TRY(TRY(Dir::open(paths_.cni_conf)).write_atomic("10-orlopit.conflist", network_config()));
    if (place().reference) TRY(write_reference_config());
    return ok();
}

Status Node::start(const std::vector<std::string>& extra) {
    TRY(prepare());
    TRY(runtime_.start(runtime_argv(extra), paths_.log));
    const bool up = eventually(scaled(20), [&] {
        return runtime_.ended() || (connects(paths_.socket) && crictl().run({"version"}).ok());
    });
    if (!up || !runtime_.running()) return Error::timed_out("the runtime does not answer:\n" + log_tail());
    if (place().reference && !crictl().run({"inspecti", kPauseImage}).ok()) {
        ImageSpec pause = busybox_image(place().busybox);
        pause.name = kPauseImage;
        pause.config["Entrypoint"] = {"/bin/sleep", "1000000"};
        TRY(import(pause));
    }
    return ok();
}

Result<int> Node::stop() {
    return runtime_.end(SIGTERM, scaled(20));
}

Status Node::restart() {
    TRY(runtime_.end(SIGKILL, scaled(20)));
    return start();
}

Status Node::import(const ImageSpec& image) {
    const std::string file = paths_.base + "/image.tar";
    const std::string bytes = TRY(docker_archive(image));
    TRY(TRY(Dir::open(paths_.base)).write_atomic("image.tar", bytes));
    const Reply reply =
        place().reference
            ? it::run({"/usr/bin/ctr", "-a", paths_.socket, "-n", "k8s.io", "images", "import", file}, {},
                      scaled(120))
            : it::run({place().bin("orlop"), "image", "import", "--runtime-endpoint",
                       "unix://" + paths_.socket, file},
                      {}, scaled(120));
    TRY(TRY(Dir::open(paths_.base)).unlink("image.tar"));
    if (!reply.ok()) return Error::failed("import of " + image.name + ": " + reply.err + reply.out);
    return ok();
}

std::string Node::log_tail() const {
    const auto text = read_file(paths_.log);
    if (!text) return text.error().what();
    return text->size() > 2500 ? "..." + text->substr(text->size() - 2500) : *text;
}

}  // namespace orlop::it
