#include "runtime/shim/protocol/protocol.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "base/dir.h"

namespace orlop::shim {
namespace {

TEST(ShimProtocol, MessagesAndDescriptorsTravelTogether) {
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    const UniqueFd a(pair[0]);
    const UniqueFd b(pair[1]);
    const UniqueFd plan = bytes_to_memfd("plan", "the plan").value();
    ASSERT_TRUE(send_message(a.get(), {7, StartContainer{.log_path = "/var/log/x", .stdin_open = true}},
                             {plan.get()}));
    const auto got = receive_message(b.get());
    ASSERT_TRUE(got) << got.error().what();
    EXPECT_EQ(got->message.request, 7u);
    const auto& start = std::get<StartContainer>(got->message.body);
    EXPECT_EQ(start.log_path, "/var/log/x");
    EXPECT_TRUE(start.stdin_open);
    ASSERT_EQ(got->fds.size(), 1u);
    EXPECT_EQ(read_all(got->fds[0].get()).value(), "the plan");
}

TEST(ShimProtocol, ASnapshotKeepsExits) {
    Snapshot snapshot{
        .shim_pid = 10, .pause_pid = 11, .containers = {{.id = "c", .exit = Exit{"c", 137, true, 5, 6}}}};
    const auto back = decode_message(encode_message({1, snapshot}));
    ASSERT_TRUE(back);
    const auto& got = std::get<Snapshot>(back->body);
    ASSERT_EQ(got.containers.size(), 1u);
    EXPECT_EQ(got.containers[0].exit->code, 137);
    EXPECT_TRUE(got.containers[0].exit->oom);
}

TEST(ShimProtocol, AVersionBeforeTheOldestIsRefusedByName) {
    std::string packet = encode_message({1, Hello{}});
    packet[8] = 2;  // after the header's size
    EXPECT_EQ(decode_message(packet).error().what(), "protocol version 2, 3 is the oldest that is spoken");
    EXPECT_FALSE(decode_message(""));
    EXPECT_FALSE(decode_message(encode_message({1, Hello{}}) + "x"));
}

TEST(ShimProtocol, ANewerReleaseIsUnderstoodAsFarAsItIsKnown) {
    std::string packet = encode_message({7, Hello{}});
    packet[8] = 9;
    packet[24] = 99;  // the type
    auto message = decode_message(packet);
    ASSERT_TRUE(message) << message.error().what();
    EXPECT_TRUE(message->unknown);
    EXPECT_EQ(message->request, 7u);

    // A field more at the end of a known one.
    packet = encode_message({7, Forget{.container = "c"}});
    const size_t body = 8 + 24;
    packet[body] = static_cast<char>(packet[body] + 3);
    message = decode_message(packet + "new");
    ASSERT_TRUE(message) << message.error().what();
    EXPECT_EQ(std::get<Forget>(message->body).container, "c");
}

TEST(ShimProtocol, WhatAnOlderReleaseDoesNotSayHasItsDefault) {
    std::string packet =
        encode_message({7, StartContainer{.log_path = "x", .stdin_open = true, .stdin_once = true}});
    // The last two fields, stdin_once and the empty log_directory, are eight bytes each.
    const size_t body = 8 + 24;
    packet[body] = static_cast<char>(packet[body] - 16);
    packet.resize(packet.size() - 16);
    const auto message = decode_message(packet);
    ASSERT_TRUE(message) << message.error().what();
    const auto& start = std::get<StartContainer>(message->body);
    EXPECT_EQ(start.log_path, "x");
    EXPECT_TRUE(start.stdin_open);
    EXPECT_FALSE(start.stdin_once);
}

TEST(ShimProtocol, AClosedPeerIsNotFoundAndAnEmptySocketUnavailable) {
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    const UniqueFd a(pair[0]);
    UniqueFd b(pair[1]);
    EXPECT_EQ(receive_message(a.get()).error().kind(), Kind::Unavailable);
    b.reset();
    EXPECT_EQ(receive_message(a.get()).error().kind(), Kind::NotFound);
    EXPECT_EQ(send_message(a.get(), {1, Hello{}}).error().kind(), Kind::NotFound);
}

TEST(ShimProtocol, AnExitRecordSurvivesItsFile) {
    const Exit exit{"c", 143, false, 1, 2};
    EXPECT_EQ(parse_exit_record(exit_record(exit))->code, 143);
    EXPECT_FALSE(parse_exit_record(""));
    EXPECT_FALSE(parse_exit_record(exit_record(exit).substr(0, 20)));
}

}  // namespace
}  // namespace orlop::shim
