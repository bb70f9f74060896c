// The resize channel: JSON objects {"Width":80,"Height":24} one after another, cut anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orlop::streaming {

struct TerminalSize {
    uint16_t width, height;
    bool operator==(const TerminalSize&) const = default;
};

class ResizeReader {
  public:
    // The last whole size that came; nothing for what is none. After more than kMaxObject bytes without an
    // object nothing is read any more.
    std::optional<TerminalSize> read(std::string_view bytes);
    static constexpr size_t kMaxObject = 1024;

  private:
    std::string held_;
    bool lost_ = false;
};

}  // namespace orlop::streaming
