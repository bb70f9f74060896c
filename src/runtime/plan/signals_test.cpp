#include <signal.h>

#include "runtime/plan/test_request.h"

namespace orlop::plan {
namespace {

TEST(StopSignal, IsTheContainersThenTheImagesThenTerm) {
    cri::ContainerConfig config;
    images::ImageConfig image;
    EXPECT_EQ(stop_signal(config, image).value_or(0), SIGTERM);
    image.stop_signal = "SIGQUIT";
    EXPECT_EQ(stop_signal(config, image).value_or(0), SIGQUIT);
    config.set_stop_signal(cri::SIGNAL_SIGINT);
    EXPECT_EQ(stop_signal(config, image).value_or(0), SIGINT);
}

TEST(StopSignal, ReadsEveryFormThatImagesUse) {
    const std::pair<const char*, int> rows[] = {{"SIGTERM", 15},  {"TERM", 15},       {"sigterm", 15},
                                                {"15", 15},       {"SIGUSR1", 10},    {"SIGWINCH", 28},
                                                {"SIGRTMIN", 34}, {"SIGRTMIN+3", 37}, {"RTMAX-1", 63},
                                                {"SIGRTMAX", 64}, {"SIGPOLL", SIGIO}};
    for (const auto& [text, number] : rows) {
        SCOPED_TRACE(text);
        images::ImageConfig image;
        image.stop_signal = text;
        EXPECT_EQ(stop_signal({}, image).value_or(0), number);
    }
}

TEST(StopSignal, KnowsEveryValueOfTheCri) {
    for (int value = cri::SIGNAL_SIGABRT; value <= cri::SIGNAL_SIGRTMAX; ++value) {
        cri::ContainerConfig config;
        config.set_stop_signal(static_cast<cri::Signal>(value));
        const auto number = stop_signal(config, {});
        ASSERT_TRUE(number.ok()) << number.error().what();
        EXPECT_GE(*number, 1);
        EXPECT_LE(*number, 64);
    }
    cri::ContainerConfig config;
    config.set_stop_signal(cri::SIGNAL_SIGRTMINPLUS15);
    EXPECT_EQ(stop_signal(config, {}).value_or(0), 49);
    config.set_stop_signal(cri::SIGNAL_SIGRTMAXMINUS14);
    EXPECT_EQ(stop_signal(config, {}).value_or(0), 50);
}

TEST(StopSignal, NamesTheBadOne) {
    for (const char* text : {"SIGNOPE", "0", "65", "-1", "SIGRTMIN+31", "SIGRTMIN-1", "15 "}) {
        SCOPED_TRACE(text);
        images::ImageConfig image;
        image.stop_signal = text;
        expect_error(stop_signal({}, image), Kind::Invalid, text);
    }
    cri::ContainerConfig config;
    config.set_stop_signal(static_cast<cri::Signal>(99));
    expect_error(stop_signal(config, {}), Kind::Invalid, "stop_signal: unknown value 99");
}

}  // namespace
}  // namespace orlop::plan
