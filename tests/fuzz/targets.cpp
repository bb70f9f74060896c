#include "fuzz/targets.h"

#include <sys/socket.h>

#include <cstdlib>
#include <string>

#include "cgroups/files.h"
#include "cgroups/membership.h"
#include "cgroups/mountinfo.h"
#include "cgroups/scope_protocol.h"
#include "cgroups/stats.h"
#include "images/config.h"
#include "images/manifest.h"
#include "images/registry/challenge.h"
#include "images/registry/credentials.h"
#include "images/registry/endpoint.h"
#include "images/registry/policy.h"
#include "images/registry/url.h"
#include "images/store.h"
#include "kube/pod_read.h"
#include "netns/cni.h"
#include "runtime/launch/capability_names.h"
#include "runtime/launch/handshake.h"
#include "runtime/launch/identity.h"
#include "runtime/launch/plan.h"
#include "runtime/oci/spec/spec.h"
#include "runtime/seccomp/profile.h"
#include "runtime/shim/protocol/protocol.h"
#include "runtime/streaming/resize.h"
#include "runtime/streaming/spdy/connection.h"

namespace orlop::fuzz {

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

void shim_message(std::string_view input) {
    const auto message = shim::decode_message(input);
    if (!message) return;
    const std::string bytes = shim::encode_message(*message);
    const auto again = shim::decode_message(bytes);
    require(again && shim::encode_message(*again) == bytes);
}

void launch_plan(std::string_view input) {
    const auto plan = launch::decode<launch::LaunchPlan>(input);
    if (!plan) return;
    const std::string bytes = launch::encode(*plan);
    const auto again = launch::decode<launch::LaunchPlan>(bytes);
    require(again && launch::encode(*again) == bytes);
}

void mountinfo(std::string_view input) {
    for (const cgroups::MountEntry& entry : cgroups::parse_mountinfo(input)) require(!entry.type.empty());
}

void image_reference(std::string_view input) {
    const auto reference = images::Reference::parse(std::string(input));
    if (!reference) return;
    const auto again = images::Reference::parse(reference->str());
    require(again && again->str() == reference->str());
}

void cni_network(std::string_view input) {
    const auto network = netns::parse_network("fuzz.conflist", std::string(input));
    if (network) require(!network->name.empty() && network->plugins.size() == network->plugin_types.size());
}

void passwd(std::string_view input) {
    const size_t cut = input.find('\0');
    const std::string_view group = cut == std::string_view::npos ? std::string_view() : input.substr(cut + 1);
    for (const char* user : {"", "web", "web:extra", "1000", "4294967295"}) {
        const auto who = launch::resolve_user({.user = user}, input.substr(0, cut), group);
        if (!who) continue;
        require(who->identity.uid != UINT32_MAX && who->identity.gid != UINT32_MAX);
        require(!who->identity.groups.empty() && who->identity.groups.front() == who->identity.gid);
    }
}

void pod_manifest(std::string_view input) {
    const auto pods = kube::read_pods(std::string(input));
    if (!pods) require(!pods.error().what().empty());
}

void oci_config(std::string_view input) {
    oci::HostFacts facts;
    facts.capabilities = launch::all_capabilities();
    const auto spec = oci::parse_spec(input, "/bundle", facts);
    if (spec) {
        require(spec->plan.root.path.starts_with('/') && spec->plan.root.path != "/");
        require(!spec->plan.process.argv.empty() && spec->plan.process.user.uid != UINT32_MAX);
        for (const launch::Mount& m : spec->plan.mounts) {
            require(m.target.starts_with('/') && (m.target + "/").find("/../") == std::string::npos);
        }
    } else {
        require(!spec.error().what().empty());
    }
    (void)oci::parse_resources(input).ok();
}

// Compiling is what takes long: huge inputs only test patience.
void seccomp_profile(std::string_view input) {
    if (input.size() > 4096) return;
    const auto filter = seccomp::compile_profile(input, 0);
    if (filter) require(!filter->program.empty() && filter->program.size() % 8 == 0);
}

// What a child could say to its parent, and whether the parent keeps to the order.
void init_message(std::string_view input) {
    int ends[2];
    require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    UniqueFd child(ends[1]);
    launch::Launching launching{.report = UniqueFd(ends[0])};
    // Packets are separated by a byte of their own, so that one input can be a conversation.
    for (size_t at = 0; at <= input.size();) {
        const size_t end = std::min(input.find('\n', at), input.size());
        if (end > at) (void)!send(child.get(), input.data() + at, end - at, MSG_NOSIGNAL);
        at = end + 1;
    }
    child.reset();
    const auto stage = launch::advance(launching);
    if (stage && *stage == launch::Stage::Running) require(launching.identified);
}

// What a client may send, twice: as frames, which must come back the same when they are written and read
// again, and to a connection that serves it.
void spdy_frames(std::string_view input) {
    spdy::Decoder decoder, reads;
    spdy::Encoder encoder;
    std::string_view rest = input;
    while (true) {
        const auto frame = decoder.next(rest);
        if (!frame || !*frame) break;
        const std::string bytes = encoder.encode(**frame);
        std::string_view written = bytes;
        const auto again = reads.next(written);
        require(again && *again && **again == **frame && written.empty());
    }
    constexpr size_t kStreams = 8;
    spdy::Connection connection(kStreams);
    streaming::ResizeReader resize;
    rest = input;
    for (auto event = connection.next(rest); event && *event; event = connection.next(rest)) {
        require(connection.streams() <= kStreams);
        if (const auto* opened = std::get_if<spdy::Opened>(&**event)) {
            connection.accept(opened->stream);
            connection.send(opened->stream, "hello");
        } else if (const auto* received = std::get_if<spdy::Received>(&**event)) {
            connection.consumed(received->stream, received->bytes.size());
            const auto size = resize.read(received->bytes);
            if (size) require(size->width > 0 && size->height > 0);
        }
    }
    // Nothing is answered by more than a few frames.
    require(connection.output().size() <= 64 * (input.size() + 1));
}

// The kernel's files, and what orlop-scope is told: text of the same kind.
void cgroup_file(std::string_view input) {
    for (const auto& [name, number] : cgroups::parse_counters(input)) {
        require(!name.empty());
        // Of two lines with one name the first counts, for both.
        const auto found = cgroups::keyed_in(input, name, "fuzz");
        require(!found || *found == number || number == UINT64_MAX);
    }
    for (const cgroups::IoEntry& entry : cgroups::parse_blkio(input)) require(!entry.op.empty());
    for (const cgroups::IoEntry& entry : cgroups::parse_io_stat(input).bytes) require(!entry.op.empty());
    for (const auto& [device, use] : cgroups::parse_rdma(input)) require(!device.empty());
    for (const auto& m : cgroups::parse_memberships(input)) require(m.path.starts_with('/'));
    (void)cgroups::parse_pressure(input);
    (void)cgroups::parse_numbers(input);
    (void)cgroups::number_in(input, "fuzz").ok();
    const cgroups::Resources resources{.cpuset_cpus = std::string(input.substr(0, input.find('\n'))),
                                       .devices = {{true, 'c', 136, -1, "rwm"}, {true, 'b', 8, -1, "rwm"}}};
    (void)cgroups::unit_properties(resources, cgroups::Version::V2, input);
    const auto request = cgroups::decode_request(input);
    if (request) {
        const auto bytes = cgroups::encode_request(*request);
        const auto again = bytes ? cgroups::decode_request(*bytes) : request;
        require(again && *again == *request);
    }
    (void)cgroups::decode_reply(input).ok();
}

void image_manifest(std::string_view input) {
    const images::Platform host{"linux", "amd64", "v3"};
    const auto document = images::parse_document(input, "");
    if (document) {
        if (const auto* index = std::get_if<images::Index>(&*document))
            (void)images::choose_platform(index->manifests, host).ok();
        else
            require(std::get<images::Manifest>(*document).layers.size() <= images::kMaxLayers);
    }
    (void)images::parse_config(input).ok();
    (void)images::parse_docker_manifest(input).ok();
}

void auth_challenge(std::string_view input) {
    for (const registry::Challenge& challenge : registry::parse_challenges(input)) {
        require(!challenge.scheme.empty());
        const auto realm = registry::Url::parse(challenge.param("realm"));
        if (realm) require(realm->scheme == "http" || realm->scheme == "https");
    }
}

void auth_file(std::string_view input) {
    const auto entry = registry::parse_auth_file(input, {"r.example:5000/team/app", "r.example:5000", "a"});
    if (entry) require(entry->helper.empty() || entry->credentials.empty());
}

// Whatever it says, it does not lead to anything but HTTP, nor break a header.
void hosts_toml(std::string_view input) {
    const auto endpoints = registry::parse_hosts_toml(input, "r.example:5000", "/certs");
    if (!endpoints) return;
    require(!endpoints->empty());
    for (const registry::Endpoint& endpoint : *endpoints) {
        require(endpoint.base.starts_with("http://") || endpoint.base.starts_with("https://"));
        require(registry::Url::parse(endpoint.base).ok());
        for (const auto& [name, value] : endpoint.headers)
            require((name + value).find_first_of("\r\n") == std::string::npos);
    }
}

void image_policy(std::string_view input) {
    const auto image = images::Reference::parse("r.example:5000/team/app:1");
    require(image.ok());
    (void)registry::check_policy(input, *image).ok();
}

}  // namespace orlop::fuzz
