#include "runtime/oci/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace orlop::oci {

struct Flags::App {
    CLI::App app;
    std::vector<std::string> words;
};

namespace {

bool takes_value(const CLI::App& app, const std::string& name) {
    const CLI::Option* option = app.get_option_no_throw(name);
    return option != nullptr && option->get_items_expected_min() > 0;
}

// How many arguments the flag at `arguments[at]` is: 2 when its value stands apart.
size_t length_of_flag(const CLI::App& app, const std::string& flag) {
    if (flag.starts_with("--")) {
        return flag.find('=') == std::string::npos && takes_value(app, flag) ? 2 : 1;
    }
    // "-tdu 5", "-u5": letters up to the first that takes a value.
    for (size_t i = 1; i < flag.size(); ++i) {
        if (takes_value(app, std::string("-") + flag[i])) return i + 1 == flag.size() ? 2 : 1;
    }
    return 1;
}

size_t first_word(const CLI::App& app, const std::vector<std::string>& arguments) {
    size_t at = 0;
    while (at < arguments.size() && arguments[at].size() > 1 && arguments[at].front() == '-') {
        if (arguments[at] == "--") return at;
        at += length_of_flag(app, arguments[at]);
    }
    return std::min(at, arguments.size());
}

}  // namespace

Flags::Flags(const std::string& command, const std::string& usage, const std::string& what)
    : app_(std::make_unique<App>()) {
    const std::string name = command.empty() ? "orlop-oci" : "orlop-oci " + command;
    app_->app.name(name);
    app_->app.description(what + "\n\n    " + name + (usage.empty() ? "" : " " + usage) + "\n");
    app_->app.set_help_flag("--help,-h", "show this");
}

Flags::~Flags() = default;

void Flags::flag(bool& out, const std::string& names, const std::string& help) {
    app_->app.add_flag(names, out, help)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Flags::text(std::string& out, const std::string& names, const std::string& help) {
    app_->app.add_option(names, out, help)->allow_extra_args(false)->take_last();
}

void Flags::texts(std::vector<std::string>& out, const std::string& names, const std::string& help) {
    app_->app.add_option(names, out, help)->allow_extra_args(false);
}

Result<Words> Flags::parse(const std::vector<std::string>& arguments, Order order) {
    Words result;
    std::vector<std::string> flags = arguments;
    if (order == Order::FlagsFirst) {
        const size_t end = first_word(app_->app, arguments);
        flags.resize(end);
        const size_t begin = end < arguments.size() && arguments[end] == "--" ? end + 1 : end;
        result.words.assign(arguments.begin() + static_cast<std::ptrdiff_t>(begin), arguments.end());
    } else {
        app_->app.add_option("words", result.words, "")->group("");
    }
    // CLI11 takes its arguments from the back.
    std::reverse(flags.begin(), flags.end());
    try {
        app_->app.parse(std::move(flags));
    } catch (const CLI::CallForHelp&) {
        result.help = app_->app.help();
    } catch (const CLI::Error& e) {
        return Error::invalid(e.what());
    }
    return result;
}

}  // namespace orlop::oci
