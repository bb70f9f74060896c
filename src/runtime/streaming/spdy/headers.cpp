// Header blocks, without their compression.
#include "runtime/streaming/spdy/bytes.h"
#include "runtime/streaming/spdy/frames.h"

namespace orlop::spdy {

namespace {

Result<std::string_view> counted(std::string_view& rest) {
    if (rest.size() < 4) return Error::invalid("SPDY header block is cut short");
    const size_t size = get32(rest, 0);
    if (rest.size() - 4 < size) return Error::invalid("SPDY header block is cut short");
    const std::string_view text = rest.substr(4, size);
    rest.remove_prefix(4 + size);
    return text;
}

bool is_lower(std::string_view name) {
    for (const char c : name)
        if (c >= 'A' && c <= 'Z') return false;
    return !name.empty();
}

}  // namespace

Result<Headers> parse_headers(std::string_view block) {
    if (block.size() < 4) return Error::invalid("SPDY header block is cut short");
    const uint32_t count = get32(block, 0);
    if (count > kMaxHeaders) return Error(Kind::Exhausted, "too many SPDY headers: " + std::to_string(count));
    block.remove_prefix(4);
    Headers headers;
    for (uint32_t i = 0; i < count; ++i) {
        const std::string_view name = TRY(counted(block));
        const std::string_view value = TRY(counted(block));
        if (!is_lower(name)) return Error::invalid("SPDY header name is empty or not in lower case");
        if (!headers.emplace(name, value).second)
            return Error::invalid("SPDY header " + std::string(name) + " comes twice");
    }
    if (!block.empty()) return Error::invalid("SPDY header block goes on after its headers");
    return headers;
}

std::string format_headers(const Headers& headers) {
    std::string block;
    put32(block, static_cast<uint32_t>(headers.size()));
    for (const auto& [name, value] : headers) {
        put32(block, static_cast<uint32_t>(name.size()));
        block += name;
        put32(block, static_cast<uint32_t>(value.size()));
        block += value;
    }
    return block;
}

}  // namespace orlop::spdy
