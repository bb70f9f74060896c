#include "images/read_ahead.h"

#include <algorithm>
#include <cstring>

namespace orlop::images {

namespace {

constexpr size_t kBlock = 256u << 10;
constexpr size_t kBlocks = 4;

}  // namespace

ReadAhead::ReadAhead(ByteStream& from)
    : from_(from), thread_([this](const std::stop_token& stop) { fill(stop); }) {}

void ReadAhead::fill(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        std::string block(kBlock, '\0');
        size_t filled = 0;
        std::optional<Error> failure;
        bool ended = false;
        while (filled < kBlock && !ended && !failure) {
            const auto n = from_.read(block.data() + filled, kBlock - filled);
            if (!n) failure = n.error();
            if (n) filled += *n;
            ended = n && *n == 0;
        }
        block.resize(filled);
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [this] { return full_.size() < kBlocks; })) return;
        if (filled > 0) full_.push_back(std::move(block));
        failure_ = failure;
        ended_ = ended || failure;
        changed_.notify_all();
        if (ended_) return;
    }
}

Result<size_t> ReadAhead::read(char* to, size_t size) {
    if (at_ == taken_.size()) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !full_.empty() || ended_; });
        if (full_.empty() && failure_) return *failure_;
        if (full_.empty()) return size_t{0};
        taken_ = std::move(full_.front());
        full_.pop_front();
        at_ = 0;
        changed_.notify_all();
    }
    const size_t n = std::min(size, taken_.size() - at_);
    std::memcpy(to, taken_.data() + at_, n);
    at_ += n;
    return n;
}

}  // namespace orlop::images
