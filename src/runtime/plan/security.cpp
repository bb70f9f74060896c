#include <set>

#include "base/weak.h"
#include "runtime/plan/parts.h"
#include "runtime/seccomp/profile.h"

namespace orlop::plan {

namespace {

using Security = cri::LinuxContainerSecurityContext;
using Profile = cri::SecurityProfile;

constexpr std::string_view kContext = "linux.security_context.";
constexpr std::string_view kLocalhost = "localhost/";

std::string field(std::string_view name) {
    return std::string(kContext).append(name);
}

// The kubelet's bounds: ids above them were once cut to 32 bits and became root (CVE-2024-40635).
Result<uint32_t> id_of(const std::string& of, int64_t value) {
    if ((value < 0 || value > INT32_MAX) && !weakened("id-range")) {
        return Error::invalid(of + ": " + std::to_string(value) + " is not in 0.." +
                              std::to_string(INT32_MAX));
    }
    return static_cast<uint32_t>(value);
}

// The deprecated string form of a profile.
Result<Profile> parse_profile(const std::string& of, const std::string& text) {
    Profile profile;
    if (text == "runtime/default" || text == "docker/default") {
        profile.set_profile_type(Profile::RuntimeDefault);
    } else if (text == "unconfined") {
        profile.set_profile_type(Profile::Unconfined);
    } else if (text.starts_with(kLocalhost)) {
        profile.set_profile_type(Profile::Localhost);
        profile.set_localhost_ref(text.substr(kLocalhost.size()));
    } else {
        return Error::invalid(of + ": \"" + printable(text) + "\" is no profile");
    }
    return profile;
}

// The profile asked for, the new field before the deprecated one; nothing if neither is set.
Result<std::optional<Profile>> choose_profile(std::string_view name, const Profile* profile,
                                              std::string_view old_name, const std::string& old_text) {
    std::optional<Profile> chosen;
    std::string of = field(name);
    if (profile != nullptr) {
        chosen = *profile;
    } else if (!old_text.empty()) {
        of = field(old_name);
        chosen = TRY(parse_profile(of, old_text));
    }
    if (!chosen) return chosen;
    if (!Profile::ProfileType_IsValid(chosen->profile_type())) {
        return Error::invalid(of + ".profile_type: unknown value " + std::to_string(chosen->profile_type()));
    }
    const bool localhost = chosen->profile_type() == Profile::Localhost;
    if (localhost == chosen->localhost_ref().empty()) {
        return Error::invalid(of + ".localhost_ref: set exactly with the profile type Localhost");
    }
    return chosen;
}

Result<std::optional<Profile>> seccomp_profile(const Security& security) {
    return choose_profile("seccomp", security.has_seccomp() ? &security.seccomp() : nullptr,
                          "seccomp_profile_path", security.seccomp_profile_path());
}

}  // namespace

Result<launch::User> plan_user(const Security& security, const images::ImageConfig& image) {
    launch::User user;
    const bool named = !security.run_as_username().empty();
    if (security.has_run_as_group() && !security.has_run_as_user() && !named) {
        return Error::invalid(field("run_as_group") + ": set without run_as_user or run_as_username");
    }
    if (named) {
        TRY(check_plain(field("run_as_username"), security.run_as_username()));
        // "user:group" is the image's syntax; here it would smuggle a group in.
        if (security.run_as_username().find(':') != std::string::npos) {
            return Error::invalid(field("run_as_username") + ": \":\" in \"" +
                                  printable(security.run_as_username()) + "\"");
        }
        user.user = security.run_as_username();
    } else if (security.has_run_as_user()) {
        user.uid = TRY(id_of(field("run_as_user"), security.run_as_user().value()));
    } else {
        TRY(check_plain("the image's user", image.user));
        user.user = image.user;
    }
    if (security.has_run_as_group()) {
        user.gid = TRY(id_of(field("run_as_group"), security.run_as_group().value()));
    }
    std::set<uint32_t> groups;
    for (int i = 0; i < security.supplemental_groups_size(); ++i) {
        groups.insert(TRY(id_of(field(element("supplemental_groups", i)), security.supplemental_groups(i))));
    }
    user.groups.assign(groups.begin(), groups.end());
    if (!cri::SupplementalGroupsPolicy_IsValid(security.supplemental_groups_policy())) {
        return Error::invalid(field("supplemental_groups_policy") + ": unknown value " +
                              std::to_string(security.supplemental_groups_policy()));
    }
    user.strict_groups = security.supplemental_groups_policy() == cri::Strict;
    return user;
}

Result<std::string> localhost_seccomp(const cri::ContainerConfig& config) {
    const Security& security = config.linux().security_context();
    const std::optional<Profile> profile = TRY(seccomp_profile(security));
    if (security.privileged() || !profile || profile->profile_type() != Profile::Localhost) return "";
    std::string_view reference = profile->localhost_ref();
    // Clients of before the new field put the prefix here, too.
    if (reference.starts_with(kLocalhost)) reference.remove_prefix(kLocalhost.size());
    TRY(clean_path(field("seccomp.localhost_ref"), reference));
    return std::string(reference);
}

Result<launch::Seccomp> plan_seccomp(const ContainerRequest& request, uint64_t bounding_capabilities) {
    launch::Seccomp out;
    const Security& security = request.config.linux().security_context();
    const std::optional<Profile> profile = TRY(seccomp_profile(security));
    if (security.privileged() || !profile || profile->profile_type() == Profile::Unconfined) return out;
    if (profile->profile_type() == Profile::RuntimeDefault) {
        if (weakened("default-seccomp")) return out;
        out.filter = TRY(request.seccomp_cache ? request.seccomp_cache->default_filter(bounding_capabilities)
                                               : default_seccomp(bounding_capabilities));
        return out;
    }
    const std::string path = TRY(localhost_seccomp(request.config));
    if (!request.seccomp_profile) {
        return Error::unimplemented(field("seccomp") + ": the Localhost profile " + path + " was not loaded");
    }
    seccomp::Filter compiled =
        TRY(seccomp::compile_profile(*request.seccomp_profile, bounding_capabilities).under(path));
    if (!compiled.listener_path.empty())
        return Error::unimplemented(field("seccomp") + ": " + path +
                                    ": SCMP_ACT_NOTIFY has no listener here");
    out.filter = std::move(compiled.program);
    out.flags = compiled.flags;
    return out;
}

// The default profile is "whatever the runtime has": none.
Result<std::string> plan_apparmor(const Security& security) {
    const std::optional<Profile> profile =
        TRY(choose_profile("apparmor", security.has_apparmor() ? &security.apparmor() : nullptr,
                           "apparmor_profile", security.apparmor_profile()));
    if (security.privileged() || !profile || profile->profile_type() != Profile::Localhost) return "";
    std::string_view name = profile->localhost_ref();
    // Clients of before the new field put the prefix here, too.
    if (name.starts_with(kLocalhost)) name.remove_prefix(kLocalhost.size());
    TRY(check_plain(field("apparmor.localhost_ref"), std::string(name)));
    return std::string(name);
}

Result<std::vector<std::string>> plan_paths(std::string_view name, bool privileged,
                                            const google::protobuf::RepeatedPtrField<std::string>& paths) {
    std::vector<std::string> out;
    if (privileged) return out;
    for (int i = 0; i < paths.size(); ++i) {
        out.push_back(TRY(clean_path(field(element(name, i)), paths[i])));
    }
    return out;
}

}  // namespace orlop::plan
