#include <zlib.h>

#include <algorithm>

#include "runtime/streaming/spdy/bytes.h"
#include "runtime/streaming/spdy/dictionary.h"
#include "runtime/streaming/spdy/frames.h"

namespace orlop::spdy {

namespace {

constexpr size_t kFrameHeader = 8;
constexpr uint32_t kControl = 0x80000000;
constexpr uint32_t kVersion = 3;
constexpr uint32_t kFlagFin = 1;

enum Type : uint32_t {
    kSynStream = 1,
    kSynReply = 2,
    kRstStream = 3,
    kSettings = 4,
    kPing = 6,
    kGoAway = 7,
    kHeaders = 8,
    kWindowUpdate = 9,
};

Error cut(const char* what) {
    return Error::invalid(std::string("SPDY ") + what + " frame of the wrong size");
}

Result<uint32_t> stream_id(std::string_view payload) {
    const uint32_t id = get32(payload, 0) & kMaxId;
    if (id == 0) return Error::invalid("SPDY stream 0");
    return id;
}

Result<Frame> parse_rst(std::string_view payload) {
    if (payload.size() != 8) return cut("RST_STREAM");
    const uint32_t status = get32(payload, 4);
    if (status == 0) return Error::invalid("SPDY RST_STREAM without a status");
    return Frame(RstStream{TRY(stream_id(payload)), static_cast<Rst>(status)});
}

Result<Frame> parse_settings(std::string_view payload, uint32_t flags) {
    if (payload.size() < 4) return cut("SETTINGS");
    const size_t count = get32(payload, 0);
    if ((payload.size() - 4) % 8 != 0 || (payload.size() - 4) / 8 != count) return cut("SETTINGS");
    Settings settings{.clear = (flags & 1) != 0, .values = {}};
    for (size_t at = 4; at < payload.size(); at += 8)
        settings.values.push_back(
            {static_cast<uint8_t>(get8(payload, at)), get24(payload, at + 1), get32(payload, at + 4)});
    return Frame(std::move(settings));
}

Result<Frame> parse_plain(uint32_t type, std::string_view payload) {
    if (type == kPing) {
        if (payload.size() != 4) return cut("PING");
        return Frame(Ping{get32(payload, 0)});
    }
    if (payload.size() != 8) return cut(type == kGoAway ? "GOAWAY" : "WINDOW_UPDATE");
    if (type == kGoAway)
        return Frame(GoAway{get32(payload, 0) & kMaxId, static_cast<Away>(get32(payload, 4))});
    const uint32_t delta = get32(payload, 4) & kMaxId;
    if (delta == 0) return Error::invalid("SPDY WINDOW_UPDATE by nothing");
    return Frame(WindowUpdate{get32(payload, 0) & kMaxId, delta});
}

}  // namespace

struct Decoder::Inflater {
    Inflater() { ready = inflateInit(&stream) == Z_OK; }
    ~Inflater() {
        if (ready) inflateEnd(&stream);
    }

    Result<std::string> inflate_block(std::string_view compressed) {
        if (!ready) return Error(Kind::Exhausted, "no memory to inflate SPDY headers");
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
        stream.avail_in = static_cast<uInt>(compressed.size());
        std::string out;
        char part[4096];
        while (true) {
            stream.next_out = reinterpret_cast<Bytef*>(part);
            stream.avail_out = sizeof part;
            int code = inflate(&stream, Z_SYNC_FLUSH);
            if (code == Z_NEED_DICT) {
                const std::string words = header_dictionary();
                code = inflateSetDictionary(&stream, reinterpret_cast<const Bytef*>(words.data()),
                                            static_cast<uInt>(words.size()));
                if (code != Z_OK) return Error::invalid("SPDY headers with another dictionary");
                continue;
            }
            out.append(part, sizeof part - stream.avail_out);
            if (out.size() > kMaxHeaderBlock) return Error(Kind::Exhausted, "SPDY headers too long");
            const bool starved = code == Z_BUF_ERROR && stream.avail_in == 0;
            if (starved || (code == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)) return out;
            if (code != Z_OK) return Error::invalid("SPDY headers are not a zlib stream");
        }
    }

    z_stream stream{};
    bool ready;
};

Decoder::Decoder() : wanted_(kFrameHeader) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;

Result<Headers> Decoder::headers(std::string_view compressed) {
    if (!inflater_) inflater_ = std::make_unique<Inflater>();
    return parse_headers(TRY(inflater_->inflate_block(compressed)));
}

Result<std::optional<Frame>> Decoder::next(std::string_view& input) {
    while (true) {
        if (data_left_ > 0) {
            const size_t size = std::min(data_left_, input.size());
            if (size == 0) return std::optional<Frame>();
            data_left_ -= size;
            const Data part{data_stream_, data_fin_ && data_left_ == 0, input.substr(0, size)};
            input.remove_prefix(size);
            return std::optional<Frame>(part);
        }
        const size_t size = std::min(wanted_ - pending_.size(), input.size());
        pending_.append(input.substr(0, size));
        input.remove_prefix(size);
        if (pending_.size() < wanted_) return std::optional<Frame>();
        auto frame = wanted_ == kFrameHeader ? begin(pending_) : control();
        if (!frame || *frame) return frame;
    }
}

// With a whole frame header: data frames begin, control frames wait for their payload.
Result<std::optional<Frame>> Decoder::begin(std::string_view header) {
    const uint32_t first = get32(header, 0);
    const uint32_t size = get24(header, 5);
    if ((first & kControl) == 0) {
        if (first == 0) return Error::invalid("SPDY data on stream 0");
        data_stream_ = first;
        data_left_ = size;
        data_fin_ = (get8(header, 4) & kFlagFin) != 0;
        pending_.clear();
        if (size > 0) return std::optional<Frame>();
        return std::optional<Frame>(Data{data_stream_, data_fin_, {}});
    }
    const uint32_t version = first >> 16 & 0x7fff;
    if (version != kVersion) return Error::invalid("SPDY version " + std::to_string(version));
    if (size > kMaxControlPayload)
        return Error(Kind::Exhausted, "SPDY control frame of " + std::to_string(size) + " bytes");
    wanted_ = kFrameHeader + size;
    return size > 0 ? std::optional<Frame>() : TRY(control());
}

Result<std::optional<Frame>> Decoder::control() {
    const std::string whole = std::move(pending_);
    pending_.clear();
    wanted_ = kFrameHeader;
    const std::string_view payload = std::string_view(whole).substr(kFrameHeader);
    const uint32_t type = get16(whole, 2);
    const uint32_t flags = get8(whole, 4);
    const bool fin = (flags & kFlagFin) != 0;
    switch (type) {
        case kSynStream: {
            if (payload.size() < 10) return cut("SYN_STREAM");
            SynStream syn{.stream = TRY(stream_id(payload)),
                          .associated = get32(payload, 4) & kMaxId,
                          .priority = static_cast<uint8_t>(get8(payload, 8) >> 5),
                          .fin = fin,
                          .unidirectional = (flags & 2) != 0,
                          .headers = TRY(headers(payload.substr(10)))};
            return std::optional<Frame>(std::move(syn));
        }
        case kSynReply:
        case kHeaders: {
            if (payload.size() < 4) return cut("SYN_REPLY or HEADERS");
            const uint32_t id = TRY(stream_id(payload));
            Headers values = TRY(headers(payload.substr(4)));
            if (type == kSynReply) return std::optional<Frame>(SynReply{id, fin, std::move(values)});
            return std::optional<Frame>(MoreHeaders{id, fin, std::move(values)});
        }
        case kRstStream:
            return std::optional<Frame>(TRY(parse_rst(payload)));
        case kSettings:
            return std::optional<Frame>(TRY(parse_settings(payload, flags)));
        case kPing:
        case kGoAway:
        case kWindowUpdate:
            return std::optional<Frame>(TRY(parse_plain(type, payload)));
        default:
            return std::optional<Frame>();
    }
}

}  // namespace orlop::spdy
