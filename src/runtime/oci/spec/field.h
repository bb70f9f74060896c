// A value of a JSON document with the path to it, so that every error names the field. For this directory
// only.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace orlop::oci {

class Field {
  public:
    // Absent when `value` is null.
    Field(const nlohmann::json* value, std::string path) : value_(value), path_(std::move(path)) {}

    bool there() const { return value_ != nullptr; }
    const std::string& path() const { return path_; }
    Error wrong(std::string_view what) const { return Error::invalid(path_ + ": " + std::string(what)); }

    // A member; absent of what is absent, and when it is JSON null.
    Field operator[](std::string_view key) const;
    // Invalid if it is there and no object.
    Status object() const;
    // The entries of an array or object; none of what is absent.
    Result<std::vector<Field>> items() const;
    Result<std::vector<std::pair<std::string, Field>>> members() const;

    // Nothing when absent; Invalid when of another type or out of range.
    Result<std::optional<std::string>> text() const;
    Result<std::optional<bool>> flag() const;
    Result<std::optional<int64_t>> integer(int64_t least, int64_t most) const;
    Result<std::optional<uint64_t>> natural(uint64_t most) const;
    Result<std::vector<std::string>> texts() const;

    Result<std::string> text_or(std::string otherwise) const;
    Result<bool> flag_or(bool otherwise) const;
    // Without NUL; when it has to be there and be something.
    Result<std::string> required_text() const;
    // As compact JSON; "" when absent.
    std::string dump() const;

  private:
    const nlohmann::json* value_;
    std::string path_;
};

}  // namespace orlop::oci
