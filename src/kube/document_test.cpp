#include "kube/document.h"

#include <gtest/gtest.h>

#include "kube/duration.h"

namespace orlop::kube {
namespace {

Json one(const std::string& text) {
    auto documents = parse_documents(text);
    EXPECT_TRUE(documents) << (documents ? "" : documents.error().what());
    return documents && documents->size() == 1 ? (*documents)[0] : Json("not one document");
}

TEST(Document, ScalarsHaveTheTypesOfYaml11) {
    const Json json = one(
        "a: 1\nb: \"1\"\nc: yes\nd: 'yes'\ne: ~\nf: 0644\ng: 0x10\nh: 1.5\ni: text\nj: 1e3\nk: 1.2.3\nl: -7\n"
        "m: 2024-01-01\n");
    EXPECT_EQ(json.dump(),
              R"({"a":1,"b":"1","c":true,"d":"yes","e":null,"f":420,"g":16,"h":1.5,"i":"text","j":1000.0,)"
              R"("k":"1.2.3","l":-7,"m":"2024-01-01"})");
}

TEST(Document, SeveralDocumentsAreReadAndEmptyOnesLeftOut) {
    const auto documents = parse_documents("---\na: 1\n---\n---\n# only a comment\n---\nb: 2\n");
    ASSERT_TRUE(documents);
    ASSERT_EQ(documents->size(), 2u);
    EXPECT_EQ((*documents)[1], Json({{"b", 2}}));
}

TEST(Document, JsonAndFlowYamlAreBothRead) {
    EXPECT_EQ(one(R"({"a": [1, 2]})"), Json({{"a", {1, 2}}}));
    EXPECT_EQ(one("{a: [1, 2]}"), Json({{"a", {1, 2}}}));
}

TEST(Document, AliasesAndMergeKeysAreResolved) {
    EXPECT_EQ(one("x: &x {p: 1, q: 2}\ny: {<<: *x, q: 3}\n")["y"], Json({{"p", 1}, {"q", 3}}));
}

TEST(Document, EmptyTextHasNoDocuments) {
    EXPECT_TRUE(parse_documents("")->empty());
    EXPECT_TRUE(parse_documents(" \n\t")->empty());
}

TEST(Document, MistakesNameTheirPlace) {
    const auto twice = parse_documents("a: 1\nb: 2\na: 3\n");
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().what(), "line 3, column 1: key 'a' appears twice");
    const auto broken = parse_documents("a: [1, 2\nb: 3\n");
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().what().find("line "), std::string::npos) << broken.error().what();
    const auto json = parse_documents("{\"a\": [1}");
    ASSERT_FALSE(json);
    EXPECT_NE(json.error().what().find("line 1"), std::string::npos) << json.error().what();
}

TEST(Document, ABillionLaughsAreNotLaughed) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
        for (int j = 0; j < 9; ++j) text += before + ", ";
        text += before + "]\n";
    }
    const auto documents = parse_documents(text);
    ASSERT_FALSE(documents);
    EXPECT_EQ(documents.error().kind(), Kind::Exhausted);
}

TEST(Document, DeepNestingIsRefused) {
    EXPECT_FALSE(parse_documents(std::string(3000, '[') + std::string(3000, ']')));
    std::string block;
    for (int i = 0; i < 300; ++i) block += std::string(static_cast<size_t>(i), ' ') + "a:\n";
    EXPECT_FALSE(parse_documents(block));
}

TEST(DurationText, IsGoSyntax) {
    EXPECT_EQ(*parse_duration("20s"), std::chrono::seconds(20));
    EXPECT_EQ(*parse_duration("1h30m"), std::chrono::minutes(90));
    EXPECT_EQ(*parse_duration("1.5s"), std::chrono::milliseconds(1500));
    EXPECT_EQ(*parse_duration("100ms"), std::chrono::milliseconds(100));
    EXPECT_EQ(*parse_duration("-1m"), std::chrono::minutes(-1));
    EXPECT_EQ(*parse_duration("0"), Nanos(0));
    for (const char* text : {"", "20", "s", "1.2.3s", "1d", "99999999999h", "1 s"})
        EXPECT_FALSE(parse_duration(text)) << text;
    EXPECT_EQ(format_duration(std::chrono::seconds(90)), "1m30s");
    EXPECT_EQ(format_duration(std::chrono::hours(2)), "2h0m0s");
}

}  // namespace
}  // namespace orlop::kube
