#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <algorithm>
#include <functional>
#include <map>

#include "runtime/core/config.h"

namespace orlop::core {

namespace {

// Takes one value; an error says what it should be.
using Setter = std::function<Status(const toml::node&)>;
using Table = std::map<std::string, Setter>;

Setter text(std::string& into, std::vector<std::string> allowed = {}) {
    return [&into, allowed](const toml::node& node) -> Status {
        const auto value = node.value_exact<std::string>();
        if (!value) return Error::invalid("has to be a string");
        if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), *value) == allowed.end()) {
            std::string list;
            for (const auto& word : allowed) list += (list.empty() ? "" : ", ") + word;
            return Error::invalid("has to be one of " + list + ", not \"" + *value + "\"");
        }
        into = *value;
        return ok();
    };
}

Setter number(int64_t& into, int64_t least = INT64_MIN, int64_t most = INT64_MAX) {
    return [&into, least, most](const toml::node& node) -> Status {
        const auto value = node.value_exact<int64_t>();
        if (!value) return Error::invalid("has to be a whole number");
        if (*value < least || *value > most)
            return Error::invalid("has to be " + std::to_string(least) + ".." + std::to_string(most));
        into = *value;
        return ok();
    };
}

Setter port(uint16_t& into) {
    return [&into](const toml::node& node) -> Status {
        const auto value = node.value_exact<int64_t>();
        if (!value || *value < 0 || *value > 65535) return Error::invalid("has to be a port, 0 to 65535");
        into = static_cast<uint16_t>(*value);
        return ok();
    };
}

Setter texts(std::vector<std::string>& into) {
    return [&into](const toml::node& node) -> Status {
        const toml::array* list = node.as_array();
        if (list == nullptr) return Error::invalid("has to be a list of strings");
        std::vector<std::string> values;
        for (const toml::node& item : *list) {
            const auto value = item.value_exact<std::string>();
            if (!value) return Error::invalid("has to be a list of strings");
            values.push_back(*value);
        }
        into = std::move(values);
        return ok();
    };
}

Setter section(Table table);

Status apply_table(const toml::table& from, const Table& table) {
    for (const auto& [key, node] : from) {
        const std::string name(key.str());
        const auto setter = table.find(name);
        if (setter == table.end()) return Error::invalid("unknown key \"" + name + "\"");
        if (auto r = setter->second(node); !r) return std::move(r).error().under(name);
    }
    return ok();
}

Setter section(Table table) {
    return [table = std::move(table)](const toml::node& node) -> Status {
        const toml::table* inner = node.as_table();
        if (inner == nullptr) return Error::invalid("has to be a table");
        return apply_table(*inner, table);
    };
}

}  // namespace

Status apply_toml(Config& config, const std::string& file, const std::string& text_of_file) {
    const Table table = {
        {"listen", text(config.listen)},
        {"root", text(config.paths.root)},
        {"state", text(config.paths.state)},
        {"netns_dir", text(config.paths.netns_dir)},
        {"registry_config_dir", text(config.registry_config_dir)},
        {"cgroup_driver", text(config.cgroup_driver, {"systemd", "cgroupfs"})},
        {"shim", text(config.shim)},
        {"pids_limit", number(config.pids_limit)},
        {"default_ulimits", texts(config.default_ulimits)},
        {"default_sysctls", texts(config.default_sysctls)},
        {"cni", section({{"conf_dir", text(config.cni.conf_dir)},
                         {"bin_dirs", texts(config.cni.bin_dirs)},
                         {"cache_dir", text(config.cni.cache_dir)}})},
        {"streaming", section({{"address", text(config.streaming.address)},
                               {"port", port(config.streaming.port)},
                               {"tls_certificate", text(config.streaming.tls_certificate)},
                               {"tls_key", text(config.streaming.tls_key)}})},
        {"images", section({{"auth_files", texts(config.images.auth_files)},
                            {"policy", text(config.images.policy)},
                            {"layers_at_once", number(config.images.layers_at_once, 1, 64)},
                            {"progress_timeout", number(config.images.progress_timeout, 1, 86400)},
                            {"pinned", texts(config.images.pinned)}})},
        {"log", section({{"level", text(config.log.level, {"trace", "debug", "info", "warn", "error"})},
                         {"format", text(config.log.format, {"text", "json"})}})}};
    try {
        return apply_table(toml::parse(text_of_file), table).under(file);
    } catch (const toml::parse_error& e) {
        return Error::invalid(file + ":" + std::to_string(e.source().begin.line) + ": " +
                              std::string(e.description()));
    }
}

}  // namespace orlop::core
