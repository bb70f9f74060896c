#include <zlib.h>

#include "runtime/streaming/spdy/bytes.h"
#include "runtime/streaming/spdy/dictionary.h"
#include "runtime/streaming/spdy/frames.h"

namespace orlop::spdy {

namespace {

std::string control(uint32_t type, uint32_t flags, std::string_view payload) {
    std::string out;
    put16(out, 0x8003);
    put16(out, type);
    out += static_cast<char>(flags);
    put24(out, static_cast<uint32_t>(payload.size()));
    out += payload;
    return out;
}

std::string two(uint32_t type, uint32_t first, uint32_t second) {
    std::string payload;
    put32(payload, first);
    put32(payload, second);
    return control(type, 0, payload);
}

}  // namespace

struct Encoder::Deflater {
    // The smallest window that holds the dictionary, and little state: the blocks are short.
    Deflater() {
        ready = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 11, 1, Z_DEFAULT_STRATEGY) == Z_OK;
        const std::string words = header_dictionary();
        if (ready)
            deflateSetDictionary(&stream, reinterpret_cast<const Bytef*>(words.data()),
                                 static_cast<uInt>(words.size()));
    }
    ~Deflater() {
        if (ready) deflateEnd(&stream);
    }
    z_stream stream{};
    bool ready;
};

Encoder::Encoder() = default;
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;

std::string Encoder::block(const Headers& headers) {
    if (!deflater_) deflater_ = std::make_unique<Deflater>();
    std::string plain = format_headers(headers);
    z_stream& stream = deflater_->stream;
    stream.next_in = reinterpret_cast<Bytef*>(plain.data());
    stream.avail_in = static_cast<uInt>(plain.size());
    std::string out;
    char part[512];
    do {
        stream.next_out = reinterpret_cast<Bytef*>(part);
        stream.avail_out = sizeof part;
        if (!deflater_->ready || deflate(&stream, Z_SYNC_FLUSH) == Z_STREAM_ERROR) break;
        out.append(part, sizeof part - stream.avail_out);
    } while (stream.avail_out == 0);
    return out;
}

std::string Encoder::encode(const Frame& frame) {
    struct Writer {
        Encoder& self;
        std::string operator()(const SynStream& f) {
            std::string payload;
            put32(payload, f.stream);
            put32(payload, f.associated);
            put16(payload, static_cast<uint32_t>(f.priority) << 13);
            payload += self.block(f.headers);
            return control(1, (f.fin ? 1u : 0u) | (f.unidirectional ? 2u : 0u), payload);
        }
        std::string headers(uint32_t type, uint32_t stream, bool fin, const Headers& values) {
            std::string payload;
            put32(payload, stream);
            payload += self.block(values);
            return control(type, fin ? 1 : 0, payload);
        }
        std::string operator()(const SynReply& f) { return headers(2, f.stream, f.fin, f.headers); }
        std::string operator()(const MoreHeaders& f) { return headers(8, f.stream, f.fin, f.headers); }
        std::string operator()(const RstStream& f) {
            return two(3, f.stream, static_cast<uint32_t>(f.status));
        }
        std::string operator()(const Settings& f) {
            std::string payload;
            put32(payload, static_cast<uint32_t>(f.values.size()));
            for (const Setting& s : f.values) {
                payload += static_cast<char>(s.flags);
                put24(payload, s.id);
                put32(payload, s.value);
            }
            return control(4, f.clear ? 1 : 0, payload);
        }
        std::string operator()(const Ping& f) {
            std::string payload;
            put32(payload, f.id);
            return control(6, 0, payload);
        }
        std::string operator()(const GoAway& f) {
            return two(7, f.last_stream, static_cast<uint32_t>(f.status));
        }
        std::string operator()(const WindowUpdate& f) { return two(9, f.stream, f.delta); }
        std::string operator()(const Data& f) {
            std::string out;
            put32(out, f.stream);
            out += static_cast<char>(f.fin ? 1 : 0);
            put24(out, static_cast<uint32_t>(f.bytes.size()));
            out += f.bytes;
            return out;
        }
    };
    return std::visit(Writer{*this}, frame);
}

}  // namespace orlop::spdy
