#include "base/strong.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace orlop {

namespace {

void fill_random(void* to, size_t size) {
    // getrandom(2): up to 256 bytes never short once the pool is ready; without randomness ids would collide.
    if (getrandom(to, size, 0) != static_cast<ssize_t>(size)) std::abort();
}

std::string hex(const uint8_t* bytes, size_t size) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(size * 2);
    for (size_t i = 0; i < size; ++i) {
        out.push_back(digits[bytes[i] >> 4]);
        out.push_back(digits[bytes[i] & 15]);
    }
    return out;
}

}  // namespace

Status HexIdRule::check(std::string_view text) {
    const bool good =
        text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    if (!good)
        return Error::invalid("not a 64-digit hexadecimal id: \"" + std::string(text.substr(0, 80)) + "\"");
    return ok();
}

std::string random_hex_id() {
    std::array<uint8_t, 32> bytes{};
    fill_random(bytes.data(), bytes.size());
    return hex(bytes.data(), bytes.size());
}

std::string random_uuid() {
    std::array<uint8_t, 16> bytes{};
    fill_random(bytes.data(), bytes.size());
    bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);
    std::string text = hex(bytes.data(), bytes.size());
    for (size_t at : {8, 13, 18, 23}) text.insert(at, "-");
    return text;
}

}  // namespace orlop
