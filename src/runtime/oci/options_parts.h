// What the parsers of command lines share.
#pragma once

#include <charconv>

#include "runtime/oci/flags.h"
#include "runtime/oci/options.h"

namespace orlop::oci {

inline Status need_words(const std::string& command, size_t words, size_t least, size_t most) {
    if (words >= least && words <= most) return ok();
    return Error::invalid("\"" + command + "\" requires " + (least == most ? "exactly " : "a minimum of ") +
                          std::to_string(least) + " argument(s)" +
                          (words > most && least != most ? ", and at most " + std::to_string(most) : ""));
}

template <class Number>
Result<Number> number_of(const std::string& flag, const std::string& text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
        return Error::invalid(flag + ": \"" + text + "\" is no number that fits");
    }
    return number;
}

}  // namespace orlop::oci
