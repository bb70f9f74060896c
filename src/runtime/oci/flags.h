// The flags of one command: a thin wrapper of CLI11, so that only flags.cpp compiles it and only the chosen
// command's flags are ever built.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace orlop::oci {

enum class Order : uint8_t {
    Anywhere,    // flags and words mixed
    FlagsFirst,  // from the first word on everything is a word, whatever it looks like
};

struct Words {
    std::vector<std::string> words;  // what is no flag, in order
    std::string help;                // not empty: --help was given, print this and stop
};

class Flags {
  public:
    // `usage`: what follows the command's name, for --help.
    Flags(const std::string& command, const std::string& usage, const std::string& what);
    ~Flags();
    Flags(const Flags&) = delete;
    Flags& operator=(const Flags&) = delete;

    // `names` as CLI11 takes them: "--force,-f". The variables must outlive parse().
    void flag(bool& out, const std::string& names, const std::string& help);
    void text(std::string& out, const std::string& names, const std::string& help);  // the last one counts
    void texts(std::vector<std::string>& out, const std::string& names,
               const std::string& help);  // every one

    // Invalid names the flag that is wrong.
    Result<Words> parse(const std::vector<std::string>& arguments, Order order);

  private:
    struct App;
    std::unique_ptr<App> app_;
};

}  // namespace orlop::oci
