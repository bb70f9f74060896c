#include "runtime/streaming/spdy/frames.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "runtime/streaming/spdy/bytes.h"
#include "runtime/streaming/spdy/dictionary.h"

namespace orlop::spdy {
namespace {

std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    return bytes;
}

TEST(SpdyDictionary, IsTheOneOfTheSpecification) {
    const std::string words = header_dictionary();
    EXPECT_EQ(words.size(), 1423u);
    EXPECT_EQ(adler32(adler32(0, nullptr, 0), reinterpret_cast<const Bytef*>(words.data()),
                      static_cast<uInt>(words.size())),
              0xe3c6a7c2u);
}

struct Golden {
    const char* name;
    const char* hex;
    Frame frame;
};

// Written by hand after the drawings of the specification, section 2.6.
const Golden kGolden[] = {
    {"data", "00000003 00000002 6869", Data{3, false, "hi"}},
    {"last data", "00000003 01000000", Data{3, true, ""}},
    {"reset", "80030003 00000008 00000005 00000003", RstStream{5, Rst::RefusedStream}},
    {"settings", "80030004 01000014 00000002 01000004 00000064 02000007 00010000",
     Settings{true, {{1, 4, 100}, {2, kInitialWindowSize, 65536}}}},
    {"ping", "80030006 00000004 00000001", Ping{1}},
    {"goaway", "80030007 00000008 00000009 00000001", GoAway{9, Away::ProtocolError}},
    {"window update", "80030009 00000008 00000001 00010000", WindowUpdate{1, 65536}},
    {"session window update", "80030009 00000008 00000000 00000001", WindowUpdate{0, 1}},
};

std::string bytes_of(const Golden& golden) {
    std::string hex = golden.hex;
    std::erase(hex, ' ');
    return from_hex(hex);
}

TEST(SpdyFrames, AreWrittenAndReadAsTheSpecificationDrawsThem) {
    for (const Golden& golden : kGolden) {
        const std::string bytes = bytes_of(golden);
        EXPECT_EQ(Encoder().encode(golden.frame), bytes) << golden.name;
        std::string_view input = bytes;
        Decoder decoder;
        const auto frame = decoder.next(input);
        ASSERT_TRUE(frame && *frame) << golden.name;
        EXPECT_EQ(**frame, golden.frame) << golden.name;
        EXPECT_TRUE(input.empty()) << golden.name;
    }
}

// What client-go sends: both header blocks are of one zlib stream, so the second is short.
TEST(SpdyFrames, HeadersOfTheKubernetesClientAreRead) {
    const std::string bytes = from_hex(
        "80030001000000290000000100000000000078f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff"
        "800300010000001900000003000000000000c22ac5565c92925f5a02000000ffff");
    std::string_view input = bytes;
    Decoder decoder;
    const SynStream first{.stream = 1, .headers = {{"streamtype", "error"}}};
    const SynStream second{.stream = 3, .headers = {{"streamtype", "stdout"}}};
    EXPECT_EQ(**decoder.next(input), Frame(first));
    EXPECT_EQ(**decoder.next(input), Frame(second));
}

TEST(SpdyFrames, WithHeadersComeBackAsTheyWere) {
    const Frame frames[] = {
        SynStream{
            .stream = 1, .associated = 2, .priority = 7, .fin = true, .unidirectional = true, .headers = {}},
        SynStream{.stream = 3, .headers = {{"streamtype", "data"}, {"port", "80"}, {"requestid", "12"}}},
        SynReply{.stream = 3, .fin = true, .headers = {{"many", std::string("a\0b", 3)}}},
        MoreHeaders{.stream = 3, .fin = false, .headers = {{"long", std::string(30'000, 'x')}}},
    };
    Encoder encoder;
    Decoder decoder;
    for (const Frame& frame : frames) {
        const std::string bytes = encoder.encode(frame);
        std::string_view input = bytes;
        const auto again = decoder.next(input);
        ASSERT_TRUE(again && *again);
        EXPECT_EQ(**again, frame);
    }
}

TEST(SpdyDecoder, ReadsControlFramesCutAnywhere) {
    const Frame syn = SynStream{.stream = 1, .headers = {{"streamtype", "stdin"}}};
    const std::string bytes = Encoder().encode(syn) + Encoder().encode(Ping{3});
    for (size_t cut = 0; cut <= bytes.size(); ++cut) {
        Decoder decoder;
        std::vector<Frame> frames;
        for (std::string_view input :
             {std::string_view(bytes).substr(0, cut), std::string_view(bytes).substr(cut)})
            for (auto frame = decoder.next(input); frame && *frame; frame = decoder.next(input))
                frames.push_back(**frame);
        EXPECT_EQ(frames, (std::vector<Frame>{syn, Ping{3}})) << cut;
    }
}

TEST(SpdyDecoder, GivesDataAsItComesAndTheEndWithItsLastByte) {
    const std::string bytes = Encoder().encode(Data{1, true, "abcdef"});
    Decoder decoder;
    std::string_view input = std::string_view(bytes).substr(0, 10);
    EXPECT_EQ(**decoder.next(input), Frame(Data{1, false, "ab"}));
    EXPECT_FALSE(*decoder.next(input));
    input = std::string_view(bytes).substr(10);
    EXPECT_EQ(**decoder.next(input), Frame(Data{1, true, "cdef"}));
}

TEST(SpdyDecoder, SkipsControlFramesItDoesNotKnow) {
    const std::string bytes = from_hex(
        "8003000a00000003ffffff"
        "800300ff00000000"
        "800300060000000400000001");
    std::string_view input = bytes;
    Decoder decoder;
    EXPECT_EQ(**decoder.next(input), Frame(Ping{1}));
}

TEST(SpdyDecoder, RefusesWhatIsNoFrame) {
    const std::pair<const char*, const char*> rows[] = {
        {"another version", "800200060000000400000001"},
        {"data on stream 0", "0000000000000001ff"},
        {"a stream 0", "80030003000000080000000000000001"},
        {"no status", "80030003000000080000000100000000"},
        {"a ping of the wrong size", "800300060000000500000001ff"},
        {"a goaway of the wrong size", "800300070000000400000001"},
        {"an empty window update", "80030009000000080000000100000000"},
        {"settings of the wrong size",
         "800300040000000c00000002000000070001000"
         "0"},
        {"a huge control frame", "80030001000fffff"},
        {"a short SYN_STREAM", "800300010000000400000001"},
        {"headers that are no zlib stream", "800300020000000800000001deadbeef"},
        {"an empty SYN_REPLY", "800300020000000400000001"},
    };
    for (const auto& [name, hex] : rows) {
        const std::string bytes = from_hex(hex);
        std::string_view input = bytes;
        Decoder decoder;
        EXPECT_FALSE(decoder.next(input)) << name;
    }
}

// A frame of few bytes may not become many.
TEST(SpdyDecoder, RefusesHeadersThatInflateToTooMuch) {
    Encoder encoder;
    const std::string bytes = encoder.encode(
        SynReply{.stream = 1, .fin = false, .headers = {{"a", std::string(kMaxHeaderBlock, 'x')}}});
    ASSERT_LT(bytes.size(), 1000u);
    std::string_view input = bytes;
    Decoder decoder;
    const auto frame = decoder.next(input);
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().kind(), Kind::Exhausted);
}

TEST(SpdyHeaders, RefuseWhatIsNoBlock) {
    std::string upper, empty, twice, many, longer;
    put32(upper, 1);
    for (const char* text : {"Name", "value"}) {
        put32(upper, static_cast<uint32_t>(strlen(text)));
        upper += text;
    }
    put32(empty, 1);
    put32(empty, 0);
    put32(empty, 0);
    put32(twice, 2);
    for (int i = 0; i < 2; ++i) {
        put32(twice, 1);
        twice += "a";
        put32(twice, 0);
    }
    put32(many, 0xffffffff);
    longer = format_headers({{"a", "b"}}) + "x";
    for (const std::string& block : {std::string("abc"), upper, empty, twice, many, longer})
        EXPECT_FALSE(parse_headers(block));
    EXPECT_TRUE(parse_headers(format_headers({}))->empty());
}

}  // namespace
}  // namespace orlop::spdy
