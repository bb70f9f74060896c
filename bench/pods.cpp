// orlop-bench ENDPOINT IMAGE COUNT DAEMON_PID [--plain]: starts COUNT pods of one container over CRI, one
// after the other, and prints what they cost: latency of each call, the daemon's memory before and after, and
// the proportional memory (PSS) of what each pod has beside its container. All pods are removed again. Any
// CRI runtime will do. --plain: "name value" lines, medians in ms, PSS in KiB, RSS in MiB.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/dir.h"
#include "base/strong.h"
#include "cri/api.grpc.pb.h"

namespace orlop {
namespace {

namespace cri = runtime::v1;
using Clock = std::chrono::steady_clock;

constexpr int kExecs = 4;  // in each container

double ms_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// A value in kB of /proc/PID/smaps_rollup or status.
uint64_t kilobytes(const std::string& file, std::string_view key) {
    const std::string text = read_file(file).value_or("");
    const size_t at = text.find(std::string(key) + ":");
    if (at == std::string::npos) return 0;
    const size_t digits = text.find_first_of("0123456789", at);
    uint64_t value = 0;
    std::from_chars(text.data() + digits, text.data() + text.size(), value);
    return value;
}

// What a pod costs beside its containers: the shim, which has the sandbox's id on its command line with every
// runtime, and the sandbox's own process, whose pid is in the status.
uint64_t pss_of(const std::string& pid) {
    return kilobytes("/proc/" + pid + "/smaps_rollup", "Pss");
}

uint64_t shims_pss_kb(const std::vector<std::string>& sandboxes) {
    uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string pid = entry.path().filename();
        if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
        const std::string command = read_file("/proc/" + pid + "/cmdline").value_or("");
        if (command.find("shim") == std::string::npos) continue;
        const bool ours = std::any_of(sandboxes.begin(), sandboxes.end(), [&](const std::string& id) {
            return command.find(id) != std::string::npos;
        });
        if (ours) sum += pss_of(pid);
    }
    return sum;
}

double median(std::vector<double> ms) {
    std::sort(ms.begin(), ms.end());
    return ms.empty() ? 0 : ms[ms.size() / 2];
}

void print_latency(const char* what, std::vector<double> ms) {
    std::sort(ms.begin(), ms.end());
    const auto at = [&ms](double p) {
        return ms[static_cast<size_t>(p * static_cast<double>(ms.size() - 1) + 0.5)];
    };
    std::printf("%-28s p50 %7.2f ms   p99 %7.2f ms   (%zu)\n", what, at(0.5), at(0.99), ms.size());
}

bool failed(const grpc::Status& status, const char* what) {
    if (!status.ok()) std::fprintf(stderr, "orlop-bench: %s: %s\n", what, status.error_message().c_str());
    return !status.ok();
}

cri::PodSandboxConfig sandbox_config(size_t i) {
    cri::PodSandboxConfig config;
    config.mutable_metadata()->set_name("bench-" + std::to_string(i));
    config.mutable_metadata()->set_uid(random_uuid());
    config.mutable_metadata()->set_namespace_("bench");
    config.set_hostname("bench");
    config.mutable_linux()->set_cgroup_parent("/orlopbench");
    config.mutable_linux()->mutable_security_context()->mutable_namespace_options()->set_pid(cri::CONTAINER);
    return config;
}

struct Pod {
    std::string sandbox, container;
};

struct Bench {
    std::unique_ptr<cri::RuntimeService::Stub> stub;
    std::string image;
    std::vector<double> run, create, start, total, exec, stop, remove;

    bool add(size_t i, std::vector<Pod>& pods) {
        const auto begin = Clock::now();
        Pod pod;
        cri::RunPodSandboxRequest run_request;
        *run_request.mutable_config() = sandbox_config(i);
        cri::RunPodSandboxResponse run_response;
        grpc::ClientContext run_context;
        if (failed(stub->RunPodSandbox(&run_context, run_request, &run_response), "RunPodSandbox"))
            return false;
        run.push_back(ms_since(begin));
        pod.sandbox = run_response.pod_sandbox_id();
        pods.push_back(pod);

        auto lap = Clock::now();
        cri::CreateContainerRequest create_request;
        create_request.set_pod_sandbox_id(pod.sandbox);
        *create_request.mutable_sandbox_config() = run_request.config();
        cri::ContainerConfig& config = *create_request.mutable_config();
        config.mutable_metadata()->set_name("main");
        config.mutable_image()->set_image(image);
        for (const char* word : {"/bin/sleep", "100000"}) config.add_command(word);
        *config.mutable_linux()->mutable_security_context()->mutable_namespace_options() =
            run_request.config().linux().security_context().namespace_options();
        cri::CreateContainerResponse create_response;
        grpc::ClientContext create_context;
        if (failed(stub->CreateContainer(&create_context, create_request, &create_response),
                   "CreateContainer"))
            return false;
        create.push_back(ms_since(lap));
        pods.back().container = create_response.container_id();

        lap = Clock::now();
        cri::StartContainerRequest start_request;
        start_request.set_container_id(create_response.container_id());
        cri::StartContainerResponse start_response;
        grpc::ClientContext start_context;
        if (failed(stub->StartContainer(&start_context, start_request, &start_response), "StartContainer"))
            return false;
        start.push_back(ms_since(lap));
        total.push_back(ms_since(begin));
        return execute(pods.back().container);
    }

    bool execute(const std::string& container) {
        for (int i = 0; i < kExecs; ++i) {
            const auto lap = Clock::now();
            cri::ExecSyncRequest request;
            request.set_container_id(container);
            request.add_cmd("/bin/true");
            cri::ExecSyncResponse response;
            grpc::ClientContext context;
            if (failed(stub->ExecSync(&context, request, &response), "ExecSync")) return false;
            exec.push_back(ms_since(lap));
        }
        return true;
    }

    // The pid of the sandbox's own process, "" if the runtime does not say it.
    std::string pause_of(const std::string& sandbox) {
        cri::PodSandboxStatusRequest request;
        request.set_pod_sandbox_id(sandbox);
        request.set_verbose(true);
        cri::PodSandboxStatusResponse response;
        grpc::ClientContext context;
        if (failed(stub->PodSandboxStatus(&context, request, &response), "PodSandboxStatus")) return "";
        const std::string& info = response.info().at("info");
        const size_t at = info.find("\"pid\":");
        if (at == std::string::npos) return "";
        const size_t from = info.find_first_of("0123456789", at);
        return info.substr(from, info.find_first_not_of("0123456789", from) - from);
    }

    bool take_away(const Pod& pod) {
        auto lap = Clock::now();
        cri::StopPodSandboxRequest stop_request;
        stop_request.set_pod_sandbox_id(pod.sandbox);
        cri::StopPodSandboxResponse stop_response;
        grpc::ClientContext stop_context;
        if (failed(stub->StopPodSandbox(&stop_context, stop_request, &stop_response), "StopPodSandbox"))
            return false;
        stop.push_back(ms_since(lap));
        lap = Clock::now();
        cri::RemovePodSandboxRequest remove_request;
        remove_request.set_pod_sandbox_id(pod.sandbox);
        cri::RemovePodSandboxResponse remove_response;
        grpc::ClientContext remove_context;
        if (failed(stub->RemovePodSandbox(&remove_context, remove_request, &remove_response),
                   "RemovePodSandbox"))
            return false;
        remove.push_back(ms_since(lap));
        return true;
    }
};

int run(const std::string& endpoint, const std::string& image, size_t count, const std::string& daemon,
        bool plain) {
    Bench bench{.stub = cri::RuntimeService::NewStub(
                    grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials())),
                .image = image};
    const std::string status = "/proc/" + daemon + "/status";
    const uint64_t rss_before = kilobytes(status, "VmRSS");
    std::vector<Pod> pods;
    bool good = true;
    for (size_t i = 0; i < count && good; ++i) good = bench.add(i, pods);
    std::vector<std::string> sandboxes;
    for (const Pod& pod : pods) sandboxes.push_back(pod.sandbox);
    uint64_t pss_kb = shims_pss_kb(sandboxes);
    for (const std::string& sandbox : sandboxes) pss_kb += pss_of(bench.pause_of(sandbox));
    const uint64_t rss_after = kilobytes(status, "VmRSS");
    for (const Pod& pod : pods) good = bench.take_away(pod) && good;
    if (!good) return 1;

    const double pss = static_cast<double>(pss_kb) / static_cast<double>(count);
    const double rss = static_cast<double>(rss_after) / 1024;
    if (plain) {
        std::printf(
            "RunPodSandbox %f\nCreateContainer %f\nStartContainer %f\nExecSync %f\nStopPodSandbox %f\n",
            median(bench.run), median(bench.create), median(bench.start), median(bench.exec),
            median(bench.stop));
        std::printf("RemovePodSandbox %f\npss_per_pod %f\nrss_of_daemon %f\n", median(bench.remove), pss,
                    rss);
        return 0;
    }
    print_latency("RunPodSandbox", bench.run);
    print_latency("CreateContainer", bench.create);
    print_latency("StartContainer", bench.start);
    print_latency("sandbox + container, all", bench.total);
    print_latency("ExecSync", bench.exec);
    print_latency("StopPodSandbox", bench.stop);
    print_latency("RemovePodSandbox", bench.remove);
    std::printf("%-28s %7.0f KiB  (shim and pause of %zu pods)\n", "PSS per pod", pss, count);
    std::printf("%-28s %7.1f MiB at 0 pods, %.1f MiB at %zu\n", "RSS of the runtime",
                static_cast<double>(rss_before) / 1024, rss, count);
    return 0;
}

}  // namespace
}  // namespace orlop

int main(int argc, char** argv) {
    size_t count = 0;
    const bool counted =
        (argc == 5 || (argc == 6 && std::string(argv[5]) == "--plain")) &&
        std::from_chars(argv[3], argv[3] + std::string(argv[3]).size(), count).ec == std::errc();
    if (!counted || count == 0) {
        std::fprintf(stderr,
                     "usage: orlop-bench unix:///path/runtime.sock IMAGE COUNT DAEMON_PID [--plain]\n");
        return 2;
    }
    return orlop::run(argv[1], argv[2], count, argv[4], argc == 6);
}
