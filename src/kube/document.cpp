#include "kube/document.h"

#include <yaml-cpp/yaml.h>

#include <cmath>
#include <limits>
#include <optional>

namespace orlop::kube {

namespace {

constexpr size_t kMaxNodes = 100'000;
constexpr int kMaxDepth = 100;

bool one_of(std::string_view text, std::initializer_list<std::string_view> list) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

std::optional<Json> integer(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X"))
        base = 16;
    else if (text.starts_with("0b"))
        base = 2;
    else if (text.starts_with("0o"))
        base = 8;
    if (base != 10)
        text.remove_prefix(2);
    else if (text.size() > 1 && text[0] == '0')
        base = 8;
    if (text.empty()) return {};
    uint64_t value = 0;
    for (const char c : text) {
        if (c == '_') continue;
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : 99;
        if (digit >= base) return {};
        if (value > (std::numeric_limits<uint64_t>::max() - 15) / static_cast<uint64_t>(base)) return {};
        value = value * static_cast<uint64_t>(base) + static_cast<uint64_t>(digit);
    }
    constexpr auto max = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (!negative) return value <= max ? Json(static_cast<int64_t>(value)) : Json(value);
    if (value > max) return {};
    return Json(-static_cast<int64_t>(value));
}

std::optional<Json> floating(const std::string& text) {
    if (text.find_first_not_of("0123456789.eE+-") != std::string::npos) return {};
    if (text.find_first_of("0123456789") == std::string::npos) return {};
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (end != text.c_str() + text.size() || !std::isfinite(value)) return {};
    return Json(value);
}

Json plain_scalar(const std::string& text) {
    if (one_of(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
    if (one_of(text, {"true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"})) return true;
    if (one_of(text, {"false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"}))
        return false;
    if (auto value = integer(text)) return *value;
    if (auto value = floating(text)) return *value;
    return text;
}

std::string where(const YAML::Mark& mark) {
    if (mark.is_null()) return "";
    return "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1) + ": ";
}

class Converter {
  public:
    Result<Json> convert(const YAML::Node& node, int depth = 0) {
        if (++nodes_ > kMaxNodes) return Error(Kind::Exhausted, "more than 100000 nodes");
        if (depth > kMaxDepth) return Error::invalid(where(node.Mark()) + "nested too deeply");
        switch (node.Type()) {
            case YAML::NodeType::Scalar:
                return scalar(node);
            case YAML::NodeType::Sequence: {
                Json out = Json::array();
                for (const auto& item : node) out.push_back(TRY(convert(item, depth + 1)));
                return out;
            }
            case YAML::NodeType::Map:
                return map(node, depth);
            default:
                return Json(nullptr);
        }
    }

  private:
    static Json scalar(const YAML::Node& node) {
        // yaml-cpp: "?" is the tag of a plain scalar, "!" that of a quoted one.
        const bool plain = node.Tag() == "?" || node.Tag().empty();
        return plain ? plain_scalar(node.Scalar()) : Json(node.Scalar());
    }

    Result<Json> map(const YAML::Node& node, int depth) {
        Json out = Json::object();
        Json merged = Json::object();
        for (const auto& entry : node) {
            if (!entry.first.IsScalar())
                return Error::invalid(where(entry.first.Mark()) + "a key must be a plain word");
            const std::string key = entry.first.Scalar();
            Json value = TRY(convert(entry.second, depth + 1));
            if (key == "<<" && entry.first.Tag() == "?") {
                for (Json& each : value.is_array() ? value : value = Json::array({value})) {
                    if (!each.is_object())
                        return Error::invalid(where(entry.first.Mark()) + "<<: takes a mapping");
                    each.update(merged);  // the first mapping in the list wins
                    merged = std::move(each);
                }
                continue;
            }
            if (out.contains(key))
                return Error::invalid(where(entry.first.Mark()) + "key '" + key + "' appears twice");
            out[key] = std::move(value);
        }
        merged.update(out);
        return merged;
    }

    size_t nodes_ = 0;
};

Result<std::vector<Json>> from_yaml(const std::string& text) {
    try {
        std::vector<Json> out;
        Converter converter;
        for (const YAML::Node& node : YAML::LoadAll(text)) {
            Json document = TRY(converter.convert(node));
            if (!document.is_null()) out.push_back(std::move(document));
        }
        return out;
    } catch (const YAML::Exception& e) {
        return Error::invalid("YAML: " + where(e.mark) + e.msg);
    }
}

Result<std::vector<Json>> from_json(std::string_view text) {
    try {
        int depth_seen = 0;
        const auto guard = [&](int depth, Json::parse_event_t, Json&) {
            depth_seen = std::max(depth_seen, depth);
            return depth <= kMaxDepth;
        };
        std::vector<Json> out;
        out.push_back(Json::parse(text, guard));
        if (depth_seen > kMaxDepth) return Error::invalid("JSON: nested too deeply");
        return out;
    } catch (const Json::exception& e) {
        const std::string what = e.what();
        // "[json.exception.parse_error.101] parse error at line 1, column 2: ...": the tag says nothing.
        const size_t tag = what.find("] ");
        return Error::invalid("JSON: " + (tag == std::string::npos ? what : what.substr(tag + 2)));
    }
}

}  // namespace

Result<std::vector<Json>> parse_documents(std::string_view text) {
    const size_t start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) return std::vector<Json>();
    if (text[start] == '{' || text[start] == '[') {
        auto json = from_json(text);
        // Flow style YAML starts with a brace too; a JSON mistake is reported as one.
        if (json || text[start] == '[') return json;
        auto yaml = from_yaml(std::string(text));
        return yaml ? std::move(yaml) : std::move(json);
    }
    return from_yaml(std::string(text));
}

}  // namespace orlop::kube
