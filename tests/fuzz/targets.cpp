#include "fuzz/targets.h"

#include <cstdlib>
#include <string>

#include "cgroups/mountinfo.h"
#include "images/store.h"
#include "kube/pod_read.h"
#include "netns/cni.h"
#include "runtime/launch/identity.h"
#include "runtime/launch/plan.h"
#include "runtime/shim/protocol/protocol.h"

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

}  // namespace orlop::fuzz
