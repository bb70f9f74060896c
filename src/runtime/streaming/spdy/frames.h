// SPDY/3.1 frames (https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1, section 2): bytes to
// frames and frames to bytes. Integers are big endian; header blocks are zlib streams with a dictionary.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace orlop::spdy {

// Names are lower case; several values of one name are separated by NUL.
using Headers = std::map<std::string, std::string>;

struct SynStream {
    uint32_t stream = 0;
    uint32_t associated = 0;
    uint8_t priority = 0;  // 0 (highest) .. 7
    bool fin = false, unidirectional = false;
    Headers headers;
    bool operator==(const SynStream&) const = default;
};
struct SynReply {
    uint32_t stream = 0;
    bool fin = false;
    Headers headers;
    bool operator==(const SynReply&) const = default;
};
// The frame HEADERS: more headers of an open stream.
struct MoreHeaders {
    uint32_t stream = 0;
    bool fin = false;
    Headers headers;
    bool operator==(const MoreHeaders&) const = default;
};

enum class Rst : uint32_t {
    ProtocolError = 1,
    InvalidStream = 2,
    RefusedStream = 3,
    UnsupportedVersion = 4,
    Cancel = 5,
    InternalError = 6,
    FlowControlError = 7,
    StreamInUse = 8,
    StreamAlreadyClosed = 9,
};
struct RstStream {
    uint32_t stream = 0;
    Rst status = Rst::Cancel;
    bool operator==(const RstStream&) const = default;
};

struct Setting {
    uint8_t flags = 0;
    uint32_t id = 0;  // 24 bits
    uint32_t value = 0;
    bool operator==(const Setting&) const = default;
};
inline constexpr uint32_t kInitialWindowSize = 7;  // the id of the one setting that counts here
struct Settings {
    bool clear = false;
    std::vector<Setting> values;
    bool operator==(const Settings&) const = default;
};

struct Ping {
    uint32_t id = 0;  // odd: the client's
    bool operator==(const Ping&) const = default;
};

enum class Away : uint32_t { Ok = 0, ProtocolError = 1, InternalError = 2 };
struct GoAway {
    uint32_t last_stream = 0;
    Away status = Away::Ok;
    bool operator==(const GoAway&) const = default;
};

// Stream 0 is the whole connection (what 3.1 adds to 3).
struct WindowUpdate {
    uint32_t stream = 0;
    uint32_t delta = 0;
    bool operator==(const WindowUpdate&) const = default;
};

// A decoder yields a part of a data frame as soon as it is there; `fin` comes with the last part.
struct Data {
    uint32_t stream = 0;
    bool fin = false;
    std::string_view bytes;
    bool operator==(const Data&) const = default;
};

using Frame =
    std::variant<SynStream, SynReply, MoreHeaders, RstStream, Settings, Ping, GoAway, WindowUpdate, Data>;

inline constexpr uint32_t kMaxId = 0x7fffffff;
inline constexpr size_t kMaxControlPayload = 64 * 1024;  // compressed; longer ones are an error
inline constexpr size_t kMaxHeaderBlock = 32 * 1024;     // decompressed
inline constexpr size_t kMaxHeaders = 128;
inline constexpr size_t kMaxData = (1 << 24) - 1;

// The header block within a decompressed control frame (section 2.6.10).
Result<Headers> parse_headers(std::string_view block);
std::string format_headers(const Headers& headers);

// One direction of a connection: header blocks share one compression state. After an error it is of no use.
class Decoder {
  public:
    Decoder();
    ~Decoder();
    Decoder(Decoder&&) noexcept;

    // Takes bytes off the front of `input`; empty: all taken, more needed. Data points into `input`. Control
    // frames of unknown types are skipped.
    Result<std::optional<Frame>> next(std::string_view& input);

  private:
    struct Inflater;
    Result<std::optional<Frame>> begin(std::string_view header);
    Result<std::optional<Frame>> control();
    Result<Headers> headers(std::string_view compressed);

    std::unique_ptr<Inflater> inflater_;
    std::string pending_;       // an unfinished frame header or control frame
    size_t wanted_;             // bytes in it before it can be read
    uint32_t data_stream_ = 0;  // within a data frame
    size_t data_left_ = 0;
    bool data_fin_ = false;
};

class Encoder {
  public:
    Encoder();
    ~Encoder();
    Encoder(Encoder&&) noexcept;
    // Data of at most kMaxData bytes.
    std::string encode(const Frame& frame);

  private:
    struct Deflater;
    std::string block(const Headers& headers);
    std::unique_ptr<Deflater> deflater_;
};

}  // namespace orlop::spdy
