// Every target on every input of its corpus, and on each input cut short: an ordinary test.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/dir.h"
#include "fuzz/targets.h"

namespace orlop::fuzz {
namespace {

TEST(FuzzCorpus, IsReadByEveryTargetWholeAndCutShort) {
    for (const Named& target : kTargets) {
        size_t inputs = 0;
        for (const auto& entry : std::filesystem::directory_iterator(std::string(ORLOP_FUZZ_CORPUS) + "/" +
                                                                     std::string(target.name))) {
            const auto input = read_file(entry.path());
            ASSERT_TRUE(input) << input.error().what();
            ++inputs;
            const size_t step = input->size() / 200 + 1;
            for (size_t size = 0; size < input->size(); size += step)
                target.run(std::string_view(*input).substr(0, size));
            target.run(*input);
        }
        EXPECT_GT(inputs, 0u) << target.name << " has no corpus";
    }
}

}  // namespace
}  // namespace orlop::fuzz
