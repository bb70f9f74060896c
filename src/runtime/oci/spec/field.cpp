#include "runtime/oci/spec/field.h"

#include <nlohmann/json.hpp>

namespace orlop::oci {

using nlohmann::json;

Field Field::operator[](std::string_view key) const {
    const std::string path = path_.empty() ? std::string(key) : path_ + "." + std::string(key);
    if (value_ == nullptr || !value_->is_object()) return {nullptr, path};
    const auto found = value_->find(key);
    return {found == value_->end() || found->is_null() ? nullptr : &*found, path};
}

Status Field::object() const {
    return value_ == nullptr || value_->is_object() ? ok() : Status(wrong("expected an object"));
}

Result<std::vector<Field>> Field::items() const {
    std::vector<Field> out;
    if (value_ == nullptr) return out;
    if (!value_->is_array()) return wrong("expected an array");
    for (size_t i = 0; i < value_->size(); ++i)
        out.emplace_back(&(*value_)[i], path_ + "[" + std::to_string(i) + "]");
    return out;
}

Result<std::vector<std::pair<std::string, Field>>> Field::members() const {
    std::vector<std::pair<std::string, Field>> out;
    if (value_ == nullptr) return out;
    TRY(object());
    for (const auto& [key, value] : value_->items()) out.emplace_back(key, Field(&value, path_ + "." + key));
    return out;
}

Result<std::optional<std::string>> Field::text() const {
    if (value_ == nullptr) return std::optional<std::string>();
    if (!value_->is_string()) return wrong("expected a string");
    const auto& text = value_->get_ref<const std::string&>();
    if (text.find('\0') != std::string::npos) return wrong("contains a NUL");
    return std::optional(text);
}

Result<std::optional<bool>> Field::flag() const {
    if (value_ == nullptr) return std::optional<bool>();
    if (!value_->is_boolean()) return wrong("expected true or false");
    return std::optional(value_->get<bool>());
}

Result<std::optional<int64_t>> Field::integer(int64_t least, int64_t most) const {
    if (value_ == nullptr) return std::optional<int64_t>();
    if (!value_->is_number_integer()) return wrong("expected an integer");
    const bool too_big =
        value_->is_number_unsigned() && value_->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
    if (too_big || value_->get<int64_t>() < least || value_->get<int64_t>() > most)
        return wrong("must be from " + std::to_string(least) + " to " + std::to_string(most));
    return std::optional(value_->get<int64_t>());
}

Result<std::optional<uint64_t>> Field::natural(uint64_t most) const {
    if (value_ == nullptr) return std::optional<uint64_t>();
    if (!value_->is_number_integer()) return wrong("expected an integer");
    if (!value_->is_number_unsigned() || value_->get<uint64_t>() > most)
        return wrong("must be from 0 to " + std::to_string(most));
    return std::optional(value_->get<uint64_t>());
}

Result<std::vector<std::string>> Field::texts() const {
    std::vector<std::string> out;
    for (const Field& item : TRY(items())) out.push_back(*TRY(item.text()));
    return out;
}

Result<std::string> Field::text_or(std::string otherwise) const {
    auto text = TRY(this->text());
    return text ? *std::move(text) : std::move(otherwise);
}

Result<bool> Field::flag_or(bool otherwise) const {
    return TRY(flag()).value_or(otherwise);
}

Result<std::string> Field::required_text() const {
    auto text = TRY(this->text());
    if (!text || text->empty()) return wrong("is missing");
    return *std::move(text);
}

std::string Field::dump() const {
    return value_ == nullptr ? "" : value_->dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace orlop::oci
