#include "runtime/streaming/tokens.h"

#include <sys/random.h>

namespace orlop::streaming {

namespace {

Result<std::string> random_token() {
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes))
        return Error::sys("getrandom");
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string token;
    for (const unsigned char byte : bytes) {
        token += kDigits[byte >> 4];
        token += kDigits[byte & 15];
    }
    return token;
}

}  // namespace

void Tokens::drop_expired() {
    const Nanos now = clock_.monotonic();
    std::erase_if(waiting_, [now](const auto& entry) { return entry.second.expires <= now; });
}

Result<std::string> Tokens::add(Request request) {
    std::string token = TRY(random_token());
    const std::lock_guard lock(mutex_);
    drop_expired();
    if (waiting_.size() >= max_)
        return Error(Kind::Exhausted,
                     "too many streaming requests wait for their client: " + std::to_string(max_));
    waiting_[token] = {clock_.monotonic() + lifetime_, std::move(request)};
    return token;
}

std::optional<Request> Tokens::take(const std::string& token) {
    const std::lock_guard lock(mutex_);
    const auto at = waiting_.find(token);
    if (at == waiting_.end()) return {};
    Entry entry = std::move(at->second);
    waiting_.erase(at);
    if (entry.expires <= clock_.monotonic()) return {};
    return std::move(entry.request);
}

}  // namespace orlop::streaming
