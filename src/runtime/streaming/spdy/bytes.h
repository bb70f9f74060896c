// Big-endian integers in strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace orlop::spdy {

inline void put16(std::string& out, uint32_t value) {
    out += static_cast<char>(value >> 8 & 0xff);
    out += static_cast<char>(value & 0xff);
}
inline void put24(std::string& out, uint32_t value) {
    out += static_cast<char>(value >> 16 & 0xff);
    put16(out, value);
}
inline void put32(std::string& out, uint32_t value) {
    put16(out, value >> 16);
    put16(out, value);
}

// `at` and what follows must be within `bytes`.
inline uint32_t get8(std::string_view bytes, size_t at) {
    return static_cast<unsigned char>(bytes[at]);
}
inline uint32_t get16(std::string_view bytes, size_t at) {
    return get8(bytes, at) << 8 | get8(bytes, at + 1);
}
inline uint32_t get24(std::string_view bytes, size_t at) {
    return get8(bytes, at) << 16 | get16(bytes, at + 1);
}
inline uint32_t get32(std::string_view bytes, size_t at) {
    return get16(bytes, at) << 16 | get16(bytes, at + 2);
}

}  // namespace orlop::spdy
