#include "runtime/streaming/spdy/connection.h"

#include <gtest/gtest.h>

namespace orlop::spdy {
namespace {

// A connection, and the client's codec at its other end.
struct Ends {
    explicit Ends(size_t max_streams = 4) : connection(max_streams) {}

    std::vector<Event> give(const Frame& frame) {
        bytes = client.encode(frame);
        std::string_view input = bytes;
        std::vector<Event> events;
        while (true) {
            auto event = connection.next(input);
            failed = !event;
            if (!event || !*event) return events;
            events.push_back(**event);
        }
    }
    void open(uint32_t stream, bool fin = false) {
        give(SynStream{.stream = stream, .fin = fin, .headers = {}});
        connection.accept(stream);
        sent();
    }
    // What the server has to send.
    std::vector<Frame> sent() {
        output = std::exchange(connection.output(), {});
        std::string_view input = output;
        std::vector<Frame> frames;
        for (auto frame = decoder.next(input); frame && *frame; frame = decoder.next(input))
            frames.push_back(**frame);
        return frames;
    }

    Connection connection;
    Encoder client;
    Decoder decoder;
    std::string bytes, output;
    bool failed = false;
};

using Frames = std::vector<Frame>;

TEST(SpdyConnection, OpensStreamsAndReplies) {
    Ends ends;
    const auto events = ends.give(SynStream{.stream = 1, .fin = true, .headers = {{"streamtype", "error"}}});
    ASSERT_EQ(events.size(), 1u);
    const auto& opened = std::get<Opened>(events[0]);
    EXPECT_EQ(opened.stream, 1u);
    EXPECT_TRUE(opened.fin);
    EXPECT_EQ(opened.headers.at("streamtype"), "error");
    ends.connection.accept(1);
    EXPECT_EQ(ends.sent(), Frames{SynReply{.stream = 1}});
}

TEST(SpdyConnection, StreamsOutOfOrderEndIt) {
    for (const uint32_t stream : {2u, 3u, 1u}) {
        Ends ends;
        ends.open(3);
        ends.give(SynStream{.stream = stream, .headers = {}});
        EXPECT_TRUE(ends.failed) << stream;
    }
}

TEST(SpdyConnection, RefusesStreamsBeyondItsLimit) {
    Ends ends(1);
    ends.open(1);
    EXPECT_TRUE(ends.give(SynStream{.stream = 3, .headers = {}}).empty());
    EXPECT_EQ(ends.sent(), (Frames{RstStream{3, Rst::RefusedStream}}));
    ends.give(RstStream{1, Rst::Cancel});
    EXPECT_EQ(ends.give(SynStream{.stream = 5, .headers = {}}).size(), 1u);
}

TEST(SpdyConnection, AnswersThePingsOfTheClientOnly) {
    Ends ends;
    ends.give(Ping{7});
    ends.give(Ping{8});
    EXPECT_EQ(ends.sent(), (Frames{Ping{7}}));
}

TEST(SpdyConnection, HasNoWindowsUntilTheClientHas) {
    Ends ends;
    ends.open(1);
    ends.connection.send(1, std::string(Connection::kWindow + 1, 'x'));
    EXPECT_EQ(ends.connection.window(1), SIZE_MAX);
    // From here on what was sent before counts too.
    ends.give(WindowUpdate{1, 10});
    EXPECT_EQ(ends.connection.window(1), 9u);
}

TEST(SpdyConnection, ASettingMovesTheWindowsOfOpenStreamsBelowNothing) {
    Ends ends;
    ends.open(1);
    ends.connection.send(1, "0123456789");
    ends.give(Settings{.clear = false, .values = {{0, kInitialWindowSize, 5}}});
    EXPECT_EQ(ends.connection.window(1), 0u);
    ends.give(WindowUpdate{1, 6});
    EXPECT_EQ(ends.connection.window(1), 1u);
    ends.open(3);
    EXPECT_EQ(ends.connection.window(3), 5u);
}

TEST(SpdyConnection, TheSessionsWindowBindsAllStreams) {
    Ends ends;
    ends.open(1);
    ends.open(3);
    ends.give(WindowUpdate{0, 1});
    ends.connection.send(1, std::string(Connection::kWindow, 'x'));
    EXPECT_EQ(ends.connection.window(3), 1u);
}

TEST(SpdyConnection, WindowsTooLargeAreErrors) {
    Ends ends;
    ends.open(1);
    const auto events = ends.give(WindowUpdate{1, kMaxId});
    EXPECT_TRUE(events.size() == 1 && std::holds_alternative<WasReset>(events[0]));
    EXPECT_EQ(ends.sent(), (Frames{RstStream{1, Rst::FlowControlError}}));
    ends.give(WindowUpdate{0, kMaxId});
    EXPECT_TRUE(ends.failed);
}

TEST(SpdyConnection, AnnouncesWhatWasConsumedByHalfWindows) {
    Ends ends;
    ends.open(1);
    const std::string half(Connection::kWindow / 2, 'x');
    EXPECT_EQ(ends.give(Data{1, false, half}).size(), 1u);
    ends.connection.consumed(1, half.size() - 1);
    EXPECT_TRUE(ends.sent().empty());
    ends.connection.consumed(1, 1);
    const auto size = static_cast<uint32_t>(half.size());
    EXPECT_EQ(ends.sent(), (Frames{WindowUpdate{0, size}, WindowUpdate{1, size}}));
}

TEST(SpdyConnection, ForgetsStreamsThatAreFinishedBothWays) {
    Ends ends;
    ends.open(1);
    ends.connection.finish(1);
    EXPECT_EQ(ends.sent(), (Frames{Data{1, true, ""}}));
    ends.connection.send(1, "lost");
    ends.connection.finish(1);
    EXPECT_TRUE(ends.sent().empty());
    EXPECT_TRUE(ends.connection.is_open(1));
    const auto events = ends.give(Data{1, true, "end"});
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(std::get<Received>(events[0]).bytes, "end");
    EXPECT_TRUE(std::get<Received>(events[0]).fin);
    EXPECT_FALSE(ends.connection.is_open(1));
}

TEST(SpdyConnection, DataAfterTheEndResetsTheStream) {
    Ends ends;
    ends.open(1);
    ends.give(Data{1, true, ""});
    const auto events = ends.give(Data{1, false, "more"});
    EXPECT_TRUE(events.size() == 1 && std::holds_alternative<WasReset>(events[0]));
    EXPECT_EQ(ends.sent(), (Frames{RstStream{1, Rst::StreamAlreadyClosed}}));
}

TEST(SpdyConnection, DataForAStreamThatWasResetIsDroppedAndForNoneIsAnError) {
    Ends ends;
    ends.open(1);
    ends.connection.reset(1, Rst::Cancel);
    ends.sent();
    EXPECT_TRUE(ends.give(Data{1, false, "late"}).empty());
    EXPECT_TRUE(ends.sent().empty());
    EXPECT_TRUE(ends.give(Data{9, false, "none"}).empty());
    EXPECT_EQ(ends.sent(), (Frames{RstStream{9, Rst::InvalidStream}}));
}

TEST(SpdyConnection, OpensNoStreamsAfterItSaidGoodbye) {
    Ends ends;
    ends.open(1);
    ends.connection.go_away(Away::Ok);
    EXPECT_EQ(ends.sent(), (Frames{GoAway{1, Away::Ok}}));
    EXPECT_TRUE(ends.give(SynStream{.stream = 3, .headers = {}}).empty());
    EXPECT_EQ(ends.give(Data{1, false, "goes on"}).size(), 1u);
}

TEST(SpdyConnection, TellsOfResetsAndGoodbyes) {
    Ends ends;
    ends.open(1);
    const auto events = ends.give(RstStream{1, Rst::Cancel});
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(std::get<WasReset>(events[0]).stream, 1u);
    EXPECT_TRUE(ends.give(RstStream{1, Rst::Cancel}).empty());
    EXPECT_TRUE(std::holds_alternative<PeerLeft>(ends.give(GoAway{0, Away::Ok}).at(0)));
}

}  // namespace
}  // namespace orlop::spdy
