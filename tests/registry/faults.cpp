#include "faults.h"

#include <nlohmann/json.hpp>
#include <set>

namespace orlop::test_registry {
namespace {

using Json = nlohmann::json;

const std::set<std::string>& actions() {
    static const std::set<std::string> all = {"status",     "redirect", "expire-token", "ignore-range",
                                              "wrong-type", "reset",    "stall",        "truncate",
                                              "corrupt",    "oversize", "rate"};
    return all;
}

Fault fault_of(const Json& rule) {
    Fault fault;
    fault.path = rule.value("path", fault.path);
    fault.method = rule.value("method", fault.method);
    fault.action = rule.value("do", fault.action);
    fault.to = rule.value("to", fault.to);
    fault.body = rule.value("body", fault.body);
    fault.headers = rule.value("headers", fault.headers);
    fault.status = rule.value("status", fault.status);
    fault.after = rule.value("after", fault.after);
    fault.times = rule.value("times", fault.times);
    fault.at = rule.value("at", fault.at);
    fault.ms = rule.value("ms", fault.ms);
    fault.bytes_per_second = rule.value("bytes_per_second", fault.bytes_per_second);
    return fault;
}

// A misspelt name would be a fault that never happens.
std::string unknown_field(const Json& rule) {
    static const std::set<std::string> known = {"path",  "method",  "do",     "to",
                                                "body",  "headers", "status", "after",
                                                "times", "at",      "ms",     "bytes_per_second"};
    for (const auto& [name, value] : rule.items())
        if (!known.contains(name)) return name;
    return "";
}

}  // namespace

std::optional<std::string> Faults::add(const std::string& json) {
    std::vector<Rule> rules;
    try {
        Json list = Json::parse(json);
        if (!list.is_array()) list = Json::array({list});
        for (const Json& rule : list) {
            if (const std::string name = unknown_field(rule); !name.empty()) return "no such field: " + name;
            Fault fault = fault_of(rule);
            if (!actions().contains(fault.action)) return "no such \"do\": " + fault.action;
            std::regex path(fault.path);
            rules.push_back({std::move(fault), std::move(path), rule.dump()});
        }
    } catch (const std::exception& error) {
        return error.what();
    }
    const std::scoped_lock lock(mutex_);
    for (Rule& rule : rules) rules_.push_back(std::move(rule));
    return std::nullopt;
}

void Faults::clear() {
    const std::scoped_lock lock(mutex_);
    rules_.clear();
    ++generation_;
}

std::string Faults::list() const {
    const std::scoped_lock lock(mutex_);
    Json all = Json::array();
    for (const Rule& rule : rules_) all.push_back(Json::parse(rule.json));
    return all.dump();
}

std::optional<Fault> Faults::next(const Request& request) {
    const std::scoped_lock lock(mutex_);
    for (auto rule = rules_.begin(); rule != rules_.end(); ++rule) {
        if (rule->fault.method != "*" && rule->fault.method != request.method) continue;
        if (!std::regex_search(request.path, rule->path)) continue;
        if (rule->fault.after > 0) {
            --rule->fault.after;
            continue;
        }
        const Fault chosen = rule->fault;
        if (rule->fault.times > 0 && --rule->fault.times == 0) rules_.erase(rule);
        return chosen;
    }
    return std::nullopt;
}

unsigned Faults::generation() const {
    const std::scoped_lock lock(mutex_);
    return generation_;
}

}  // namespace orlop::test_registry
