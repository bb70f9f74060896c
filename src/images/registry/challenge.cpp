#include "images/registry/challenge.h"

#include <algorithm>
#include <cctype>

namespace orlop::registry {

namespace {

constexpr size_t kMaxChallenges = 32;

bool token_char(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

class Cursor {
  public:
    explicit Cursor(std::string_view text) : rest_(text) {}
    bool done() const { return rest_.empty(); }
    void skip(std::string_view what) {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(what), rest_.size()));
    }
    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string token() {
        size_t n = 0;
        while (n < rest_.size() && token_char(rest_[n])) ++n;
        std::string out(rest_.substr(0, n));
        rest_.remove_prefix(n);
        return out;
    }
    // After its opening quote.
    std::string quoted() {
        std::string out;
        while (!rest_.empty() && !take('"')) {
            if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
            out.push_back(rest_.front());
            rest_.remove_prefix(1);
        }
        return out;
    }
    // Something that has no place here.
    void drop() { rest_.remove_prefix(1); }

  private:
    std::string_view rest_;
};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

}  // namespace

std::string Challenge::param(const std::string& name) const {
    const auto at = params.find(name);
    return at == params.end() ? "" : at->second;
}

std::vector<Challenge> parse_challenges(std::string_view header) {
    std::vector<Challenge> out;
    Cursor at(header);
    while (!at.done()) {
        at.skip(" \t,");
        const std::string word = lower(at.token());
        at.skip(" \t");
        if (word.empty()) {
            if (!at.done()) at.drop();
        } else if (at.take('=')) {
            at.skip(" \t");
            std::string value = at.take('"') ? at.quoted() : at.token();
            if (!out.empty()) out.back().params.emplace(word, std::move(value));
        } else if (out.size() < kMaxChallenges) {
            out.push_back({word, {}});
        } else {
            break;
        }
    }
    return out;
}

}  // namespace orlop::registry
