#include "base/log/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdlib>
#include <memory>

namespace orlop {

namespace {

// sd-daemon(3): "<N>" at the start of a line on the journal's stream sets the priority.
const char* priority(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::critical:
            return "<2>";
        case spdlog::level::err:
            return "<3>";
        case spdlog::level::warn:
            return "<4>";
        case spdlog::level::info:
            return "<6>";
        default:
            return "<7>";
    }
}

class JournalPriority final : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& to) override {
        const std::string_view text = priority(message.level);
        to.append(text.data(), text.data() + text.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<JournalPriority>();
    }
};

class JsonMessage final : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& to) override {
        static constexpr char digits[] = "0123456789abcdef";
        for (const char c : message.payload) {
            const auto u = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') {
                to.push_back('\\');
                to.push_back(c);
            } else if (u < 0x20) {
                const char escape[] = {'\\', 'u', '0', '0', digits[u >> 4], digits[u & 15]};
                to.append(escape, escape + sizeof escape);
            } else {
                to.push_back(c);
            }
        }
    }
    std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessage>(); }
};

}  // namespace

Status setup_logging(const LogOptions& options) {
    const auto level = spdlog::level::from_str(options.level);
    if (level == spdlog::level::off && options.level != "off") {
        return Error::invalid("--log-level: \"" + options.level +
                              "\" is none of trace debug info warn error off");
    }
    if (options.format != "text" && options.format != "json") {
        return Error::invalid("--log-format: \"" + options.format + "\" is neither text nor json");
    }
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<JournalPriority>('*').add_flag<JsonMessage>('&');
    // systemd.exec(5): JOURNAL_STREAM is set when stderr is connected to the journal, which adds the time
    // itself.
    if (options.format == "json") {
        formatter->set_pattern(R"({"ts":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","msg":"%&"})");
    } else if (std::getenv("JOURNAL_STREAM") != nullptr) {
        formatter->set_pattern("%*%v");
    } else {
        formatter->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%L%$ %v");
    }
    auto logger =
        std::make_shared<spdlog::logger>("orlop", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_formatter(std::move(formatter));
    logger->set_level(level);
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
    return ok();
}

}  // namespace orlop
