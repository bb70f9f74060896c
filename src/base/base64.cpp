#include "base/base64.h"

#include <algorithm>
#include <cstdint>

namespace orlop {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64_encode(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (size_t at = 0; at < bytes.size(); at += 3) {
        const size_t have = std::min<size_t>(3, bytes.size() - at);
        uint32_t group = 0;
        for (size_t i = 0; i < 3; ++i) {
            group = group << 8 | (i < have ? static_cast<uint8_t>(bytes[at + i]) : 0u);
        }
        for (size_t i = 0; i < 4; ++i) {
            out += i <= have ? kAlphabet[group >> (18 - 6 * i) & 63u] : '=';
        }
    }
    return out;
}

Result<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) return Error::invalid("base64: the length is not a multiple of 4");
    std::string out;
    out.reserve(text.size() / 4 * 3);
    for (size_t at = 0; at < text.size(); at += 4) {
        std::string_view group = text.substr(at, 4);
        if (at + 4 == text.size()) {
            if (group.ends_with('=')) group.remove_suffix(1);
            if (group.ends_with('=')) group.remove_suffix(1);
        }
        uint32_t bits = 0;
        for (const char c : group) {
            const size_t digit = kAlphabet.find(c);
            if (digit == std::string_view::npos)
                return Error::invalid("base64: a character is not of its alphabet");
            bits = bits << 6 | static_cast<uint32_t>(digit);
        }
        if (group.size() < 2) return Error::invalid("base64: wrong padding");
        bits <<= 6 * (4 - group.size());
        const size_t bytes = group.size() - 1;
        if ((bits & ((1u << (8 * (3 - bytes))) - 1)) != 0)
            return Error::invalid("base64: unused bits are set");
        for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(bits >> (16 - 8 * i) & 0xffu);
    }
    return out;
}

}  // namespace orlop
