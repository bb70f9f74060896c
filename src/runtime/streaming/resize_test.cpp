#include "runtime/streaming/resize.h"

#include <gtest/gtest.h>

namespace orlop::streaming {
namespace {

using Size = std::optional<TerminalSize>;

TEST(ResizeReader, ReadsTheLastOfSeveralSizes) {
    EXPECT_EQ(ResizeReader().read("{\"Width\":80,\"Height\":24}\n"), Size({80, 24}));
    EXPECT_EQ(ResizeReader().read(R"({"Width":80,"Height":24}{"Width":100,"Height":30})"), Size({100, 30}));
}

TEST(ResizeReader, ReadsASizeCutAnywhere) {
    const std::string text = "{\"Width\":80,\"Height\":24}\n";
    for (size_t cut = 0; cut < text.size() - 1; ++cut) {
        ResizeReader reader;
        EXPECT_EQ(reader.read(text.substr(0, cut)), Size()) << cut;
        EXPECT_EQ(reader.read(text.substr(cut)), Size({80, 24})) << cut;
    }
}

TEST(ResizeReader, PassesOverWhatIsNoSize) {
    for (const char* text :
         {"{}", "[}", "{\"Width\":80}", "{\"Width\":0,\"Height\":24}", "{\"Width\":-1,\"Height\":2}",
          "{\"Width\":65536,\"Height\":24}", "{\"Width\":\"80\",\"Height\":24}"}) {
        ResizeReader reader;
        EXPECT_EQ(reader.read(text), Size()) << text;
        EXPECT_EQ(reader.read("{\"Width\":1,\"Height\":2}"), Size({1, 2})) << text;
    }
}

TEST(ResizeReader, HoldsNoMoreThanAnObject) {
    ResizeReader reader;
    EXPECT_EQ(reader.read(std::string(ResizeReader::kMaxObject + 1, ' ')), Size());
    EXPECT_EQ(reader.read("{\"Width\":80,\"Height\":24}"), Size());
}

}  // namespace
}  // namespace orlop::streaming
