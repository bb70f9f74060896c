#include "runtime/streaming/protocols.h"

#include <gtest/gtest.h>

namespace orlop::streaming {
namespace {

using Names = std::vector<std::string>;
using Ports = std::vector<uint16_t>;

TEST(Protocols, NamesAreOfSeveralHeadersAndSeparatedByCommas) {
    EXPECT_EQ(split_names({"v4.channel.k8s.io", " a , b,,c "}), (Names{"v4.channel.k8s.io", "a", "b", "c"}));
    EXPECT_EQ(split_names({"", " , "}), Names());
}

TEST(Protocols, TheClientsFirstThatTheServerHasIsChosen) {
    EXPECT_EQ(choose(kSpdyCommands, {"v5.channel.k8s.io", "v3.channel.k8s.io", "v4.channel.k8s.io"})->name,
              "v3.channel.k8s.io");
    EXPECT_EQ(choose(kSpdyCommands, {"v5.channel.k8s.io"}), nullptr);
    EXPECT_EQ(choose(kWebSocketCommands, {"v5.channel.k8s.io"})->version, CommandVersion::V5);
    EXPECT_TRUE(choose(kWebSocketCommands, {"v4.base64.channel.k8s.io"})->base64);
    EXPECT_TRUE(choose(kWebSocketForwards, {"SPDY/3.1+portforward.k8s.io"})->tunnel);
}

TEST(Protocols, PortsAreReadFromTheQuery) {
    EXPECT_EQ(query_ports("port=80&x=1&port=443,8080"), (Ports{80, 443, 8080}));
    EXPECT_EQ(query_ports("port=80%2C443"), (Ports{80, 443}));
    for (const char* query : {"", "x=80", "port=", "port=0", "port=65536", "port=http", "port=80&port=-1",
                              "port=+80", "port=80 ", "port=80,,81"})
        EXPECT_EQ(query_ports(query), Ports()) << query;
}

}  // namespace
}  // namespace orlop::streaming
