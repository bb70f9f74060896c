// config.json of the runtime specification: a default that every runtime takes, and what tests change in it.
#pragma once

#include <string>
#include <vector>

#include "oci/harness/runtime.h"

namespace orlop::it {

// Every namespace but user, cgroup and time is new; /proc, /dev, /dev/pts, /dev/shm, /dev/mqueue and /sys
// are mounted; 14 capabilities, no new privileges, no terminal.
Json command_spec(std::vector<std::string> argv);
// `script` under /bin/sh.
Json shell_spec(const std::string& script);
// A shell that ends at SIGTERM, for tests that look from outside or exec.
Json sleeper_spec();

void add_mount(Json& spec, const std::string& type, const std::string& source, const std::string& target,
               std::vector<std::string> options = {});
void drop_namespace(Json& spec, const std::string& type);
// Joins, or with an empty path makes, a namespace of the type in place of what was there.
void set_namespace(Json& spec, const std::string& type, const std::string& path = "");
// A new user namespace: 0..65535 inside is `first`.. outside.
void map_users(Json& spec, unsigned first);
void set_capabilities(Json& spec, const std::vector<std::string>& names);
// process.env gets KEY=VALUE.
void set_env(Json& spec, const std::string& assignment);

}  // namespace orlop::it
