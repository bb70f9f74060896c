#include "images/json_fields.h"

namespace orlop::images {

using nlohmann::json;

namespace {

Result<std::string> text_of(const json& value, const std::string& name) {
    if (!value.is_string()) return Error::invalid("\"" + name + "\" is not a string");
    const std::string& text = value.get_ref<const std::string&>();
    // Each of these becomes a C string in execve(2) or a path.
    if (text.find('\0') != std::string::npos) return Error::invalid("\"" + name + "\" holds a NUL byte");
    return text;
}

}  // namespace

Result<json> parse_json(std::string_view text) {
    if (text.size() > kMaxDocument) return Error(Kind::Exhausted, "JSON document of more than 4 MiB");
    json document = json::parse(text, nullptr, false);
    if (document.is_discarded()) return Error::invalid("not valid JSON");
    return document;
}

const json* find_field(const json& object, const char* key) {
    if (!object.is_object()) return nullptr;
    const auto it = object.find(key);
    return it == object.end() || it->is_null() ? nullptr : &*it;
}

Result<std::string> string_field(const json& object, const char* key) {
    const json* field = find_field(object, key);
    if (field == nullptr) return std::string();
    return text_of(*field, key);
}

Result<std::vector<std::string>> strings_field(const json& object, const char* key) {
    std::vector<std::string> out;
    const json* field = find_field(object, key);
    if (field == nullptr) return out;
    if (!field->is_array()) return Error::invalid("\"" + std::string(key) + "\" is not a list");
    for (const json& item : *field) out.push_back(TRY(text_of(item, key)));
    return out;
}

Result<std::map<std::string, std::string>> map_field(const json& object, const char* key) {
    std::map<std::string, std::string> out;
    const json* field = find_field(object, key);
    if (field == nullptr) return out;
    if (!field->is_object()) return Error::invalid("\"" + std::string(key) + "\" is not an object");
    for (const auto& [name, value] : field->items()) out[name] = TRY(text_of(value, name));
    return out;
}

}  // namespace orlop::images
