// orlop-oci-bench ORLOP_OCI BIN_DIR ROOTFS [ROUNDS]: what `run` of a container that exits at once and `exec`
// into a running one cost with orlop-oci, crun and runc on the same bundle, interleaved in one run, as
// whole-process wall time and peak memory of the runtime's process. `floor` is the same work done straight
// (bench/floor.c). bench/oci starts it.
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

extern char** environ;

namespace {

using Strings = std::vector<std::string>;
using Clock = std::chrono::steady_clock;

struct Runtime {
    std::string name, program;
    std::vector<double> run, exec;  // ms
    long peak_kib = 0;
};

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "orlop-oci-bench: %s\n", what.c_str());
    std::exit(1);
}

double timed(const Strings& command) {
    std::vector<char*> argv;
    for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    pid_t pid = -1;
    const auto start = Clock::now();
    if (posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0)
        fail("cannot start " + command[0]);
    int status = 0;
    if (waitpid(pid, &status, 0) != pid) fail("waitpid");
    const std::chrono::duration<double, std::milli> took = Clock::now() - start;
    if (status != 0) fail(command[0] + " " + command.at(1) + " ... failed");
    return took.count();
}

double median(std::vector<double> ms) {
    std::sort(ms.begin(), ms.end());
    return ms[ms.size() / 2];
}

std::string make_bundle(const std::string& base, const std::string& spec, const std::string& rootfs,
                        const Strings& args) {
    const std::string dir = base + "/" + std::filesystem::path(args[0]).filename().string();
    std::filesystem::create_directories(dir);
    nlohmann::json config = nlohmann::json::parse(spec);
    config["process"]["terminal"] = false;
    config["process"]["args"] = args;
    config["root"]["path"] = rootfs;
    std::ofstream(dir + "/config.json") << config;
    return dir;
}

std::string output_of(const std::string& command) {
    std::string out;
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) fail(command);
    char buffer[4096];
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
    if (pclose(pipe) != 0) fail(command + " failed");
    return out;
}

// crun takes a hybrid cgroup layout only without its cgroup2: nobody sees it here, so that all do the same.
void isolate() {
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        fail("needs root");
    const char* hybrid = "/sys/fs/cgroup/unified";
    if (access(hybrid, F_OK) == 0) umount2(hybrid, MNT_DETACH);
}

void report(const std::vector<Runtime>& runtimes, const std::vector<double>& floor) {
    const double reference = median(runtimes[0].run), exec_reference = median(runtimes[0].exec);
    std::printf("%-10s %10s %14s %10s %14s %14s\n", "", "run ms", "orlop-oci is", "exec ms", "orlop-oci is",
                "peak RSS KiB");
    for (const Runtime& r : runtimes) {
        std::printf("%-10s %10.2f %13.2fx %10.2f %13.2fx %14ld\n", r.name.c_str(), median(r.run),
                    reference / median(r.run), median(r.exec), exec_reference / median(r.exec), r.peak_kib);
    }
    std::printf("%-10s %10.2f %13.2fx\n", "floor", median(floor), reference / median(floor));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) fail("usage: orlop-oci-bench ORLOP_OCI BIN_DIR ROOTFS [ROUNDS]");
    const int rounds = argc > 4 ? std::atoi(argv[4]) : 100;
    isolate();
    std::string base = "/run/orlop-oci-bench-XXXXXX";
    if (mkdtemp(base.data()) == nullptr) fail("mkdtemp");
    const std::string spec_dir = base + "/spec";
    std::filesystem::create_directories(spec_dir);
    output_of(std::string(argv[1]) + " spec --bundle " + spec_dir);
    const std::string spec = output_of("cat " + spec_dir + "/config.json");
    const std::string quick = make_bundle(base, spec, argv[3], {"/bin/true"});
    const std::string slow = make_bundle(base, spec, argv[3], {"/bin/sleep", "100000"});

    std::vector<Runtime> runtimes = {{"orlop-oci", argv[1], {}, {}}};
    for (const char* peer : {"crun", "runc"}) {
        for (const std::string dir : {"/usr/bin/", "/usr/sbin/"}) {
            if (access((dir + peer).c_str(), X_OK) == 0) {
                runtimes.push_back({peer, dir + peer, {}, {}});
                break;
            }
        }
        if (runtimes.back().name != peer) std::printf("%s is not installed\n", peer);
    }
    const auto global = [&](const Runtime& r) {
        return Strings{r.program, "--root", base + "/root-" + r.name};
    };
    const auto call = [&](const Runtime& r, const Strings& rest) {
        Strings command = global(r);
        command.insert(command.end(), rest.begin(), rest.end());
        return timed(command);
    };
    std::vector<double> floor;
    for (int i = 0; i < rounds + 3; ++i) {
        for (Runtime& r : runtimes)
            r.run.push_back(call(r, {"run", "--bundle", quick, "bench-" + r.name + "-" + std::to_string(i)}));
        floor.push_back(timed({argv[2] + std::string("/orlop-floor"), argv[3], "/bin/true"}));
    }
    for (Runtime& r : runtimes) {
        call(r, {"run", "--detach", "--bundle", slow, "bench-" + r.name});
        r.run.erase(r.run.begin(), r.run.begin() + 3);  // the first ones warm caches
    }
    for (int i = 0; i < rounds; ++i) {
        for (Runtime& r : runtimes) r.exec.push_back(call(r, {"exec", "bench-" + r.name, "/bin/true"}));
    }
    for (Runtime& r : runtimes) call(r, {"delete", "--force", "bench-" + r.name});
    for (Runtime& r : runtimes) {
        const std::string command = argv[2] + std::string("/orlop-peak ") + r.program + " --root " + base +
                                    "/root-" + r.name + " run --bundle " + quick + " bench-peak-" + r.name;
        r.peak_kib = std::atol(output_of(command).c_str());
    }
    report(runtimes, floor);
    std::filesystem::remove_all(base);
    return 0;
}
