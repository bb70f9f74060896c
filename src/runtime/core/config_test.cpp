#include "runtime/core/config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/dir.h"

namespace orlop::core {
namespace {

Result<CommandLine> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "orlop-runtime");
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Config, FlagsAreTakenAndTheSocketSchemeIsDropped) {
    const auto line =
        parse({"--listen", "unix:///tmp/x.sock", "--root", "/r", "--state", "/s", "--cni-bin-dir", "/a:/b",
               "--cni-bin-dir", "/c", "--cgroup-driver", "cgroupfs", "--log-level", "debug"});
    ASSERT_TRUE(line) << line.error().what();
    EXPECT_EQ(line->config.listen, "/tmp/x.sock");
    EXPECT_EQ(line->config.paths.shim("i"), "/s/shims/i");
    EXPECT_EQ(line->config.paths.images(), "/r/images");
    EXPECT_EQ(line->config.cni.bin_dirs, (std::vector<std::string>{"/a", "/b", "/c"}));
    EXPECT_EQ(line->config.cgroup_driver, "cgroupfs");
    EXPECT_EQ(line->config.log.level, "debug");
}

TEST(Config, BadFlagsAreOneLineThatNamesThem) {
    const std::pair<std::vector<const char*>, const char*> rows[] = {
        {{"--frobnicate"}, "--frobnicate"},
        {{"--cgroup-driver", "openrc"}, "--cgroup-driver"},
        {{"--log-level", "loud"}, "--log-level"},
        {{"--root", "relative"}, "root"},
        {{"--listen", "runtime.sock"}, "listen"},
        {{"--config", "/nonexistent/x.toml"}, "/nonexistent/x.toml"},
        {{"stray"}, "stray"},
    };
    for (const auto& [arguments, name] : rows) {
        const auto line = parse(arguments);
        ASSERT_FALSE(line) << name;
        EXPECT_NE(line.error().what().find(name), std::string::npos) << line.error().what();
        EXPECT_EQ(line.error().what().find('\n'), std::string::npos) << line.error().what();
    }
}

TEST(Config, VersionAndHelpAreAllThatIsWanted) {
    EXPECT_EQ(parse({"--version"})->output, "orlop-runtime " ORLOP_VERSION "\n");
    const auto help = parse({"--help"});
    EXPECT_TRUE(help->done);
    EXPECT_NE(help->output.find("--cni-conf-dir"), std::string::npos);
}

TEST(ConfigToml, EveryKeyIsRead) {
    Config c;
    const Status done = apply_toml(c, "f.toml", R"(
        listen = "/l"
        root = "/r"
        state = "/s"
        netns_dir = "/n"
        registry_config_dir = "/g"
        cgroup_driver = "systemd"
        shim = "/shim"
        pids_limit = 1024
        default_ulimits = ["nofile=1024:65536"]
        default_sysctls = ["net.core.somaxconn=1024"]
        [cni]
        conf_dir = "/c"
        bin_dirs = ["/b1", "/b2"]
        cache_dir = "/k"
        [images]
        auth_files = ["/a"]
        policy = "/p"
        layers_at_once = 2
        progress_timeout = 30
        pinned = ["pause:*"]
        [streaming]
        address = "::1"
        port = 10010
        tls_certificate = "/cert"
        tls_key = "/key"
        [log]
        level = "warn"
        format = "json"
    )");
    ASSERT_TRUE(done) << done.error().what();
    const auto json = nlohmann::json::parse(config_json(c));
    const nlohmann::json expected = {
        {"listen", "/l"},
        {"root", "/r"},
        {"state", "/s"},
        {"netns_dir", "/n"},
        {"registry_config_dir", "/g"},
        {"cgroup_driver", "systemd"},
        {"shim", "/shim"},
        {"pids_limit", 1024},
        {"default_ulimits", {"nofile=1024:65536"}},
        {"default_sysctls", {"net.core.somaxconn=1024"}},
        {"images",
         {{"auth_files", {"/a"}},
          {"policy", "/p"},
          {"layers_at_once", 2},
          {"progress_timeout", 30},
          {"pinned", {"pause:*"}}}},
        {"cni", {{"conf_dir", "/c"}, {"bin_dirs", {"/b1", "/b2"}}, {"cache_dir", "/k"}}},
        {"streaming",
         {{"address", "::1"}, {"port", 10010}, {"tls_certificate", "/cert"}, {"tls_key", "/key"}}},
        {"log", {{"level", "warn"}, {"format", "json"}}}};
    EXPECT_EQ(json, expected);
}

// Keys of the JSON, sections included.
void collect_names(const nlohmann::json& settings, std::vector<std::string>& names) {
    for (const auto& [name, value] : settings.items()) {
        names.push_back(name);
        if (value.is_object()) collect_names(value, names);
    }
}

TEST(ConfigToml, EverySettingIsInTheManual) {
    const std::string source = __FILE__;
    const std::string tree = source.substr(0, source.rfind("/src/"));
    const auto manual = read_file(tree + "/docs/man/orlop-runtime.toml.5");
    ASSERT_TRUE(manual) << manual.error().what();
    std::vector<std::string> names;
    collect_names(nlohmann::json::parse(config_json(Config())), names);
    EXPECT_GT(names.size(), 20u);
    for (const std::string& name : names)
        EXPECT_NE(manual->find(name), std::string::npos) << name << " is not described";
}

TEST(ConfigToml, WhatIsWrongIsNamedWithItsFile) {
    const std::pair<const char*, const char*> rows[] = {
        {"frob = 1", "frob"},
        {"root = 1", "root"},
        {"pids_limit = \"many\"", "pids_limit"},
        {"cni = 3", "cni"},
        {"[cni]\nbin_dir = []", "bin_dir"},
        {"[cni]\nbin_dirs = [1]", "bin_dirs"},
        {"[log]\nlevel = \"loud\"", "level"},
        {"[streaming]\nport = 65536", "port"},
        {"root = ", "f.toml:1"},
    };
    for (const auto& [text, name] : rows) {
        Config c;
        const Status done = apply_toml(c, "f.toml", text);
        ASSERT_FALSE(done) << text;
        EXPECT_NE(done.error().what().find(name), std::string::npos) << done.error().what();
        EXPECT_NE(done.error().what().find("f.toml"), std::string::npos) << done.error().what();
        EXPECT_EQ(done.error().what().find('\n'), std::string::npos) << done.error().what();
    }
}

}  // namespace
}  // namespace orlop::core
