// Parsers that read what others wrote, one function each: the property is "an error or a value, never more
// than that", and where there is an encoder, that it gives back what was read.
#pragma once

#include <string_view>

namespace orlop::fuzz {

using Target = void (*)(std::string_view input);

void shim_message(std::string_view input);
void launch_plan(std::string_view input);
void mountinfo(std::string_view input);
void image_reference(std::string_view input);
void cni_network(std::string_view input);
void passwd(std::string_view input);
void pod_manifest(std::string_view input);
void oci_config(std::string_view input);
void seccomp_profile(std::string_view input);
void init_message(std::string_view input);
void cgroup_file(std::string_view input);
void spdy_frames(std::string_view input);
void image_manifest(std::string_view input);
void auth_challenge(std::string_view input);
void auth_file(std::string_view input);
void hosts_toml(std::string_view input);
void image_policy(std::string_view input);

struct Named {
    std::string_view name;
    Target run;
};
inline constexpr Named kTargets[] = {
    {"shim_message", shim_message},
    {"launch_plan", launch_plan},
    {"mountinfo", mountinfo},
    {"cni_network", cni_network},
    {"image_reference", image_reference},
    {"passwd", passwd},
    {"pod_manifest", pod_manifest},
    {"oci_config", oci_config},
    {"seccomp_profile", seccomp_profile},
    {"init_message", init_message},
    {"cgroup_file", cgroup_file},
    {"spdy_frames", spdy_frames},
    {"image_manifest", image_manifest},
    {"auth_challenge", auth_challenge},
    {"auth_file", auth_file},
    {"hosts_toml", hosts_toml},
    {"image_policy", image_policy},
};

}  // namespace orlop::fuzz
