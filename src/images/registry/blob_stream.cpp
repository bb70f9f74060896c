#include "images/registry/blob_stream.h"

#include <algorithm>

#include "images/json_fields.h"

namespace orlop::registry {

namespace {

// Less than this between two failures is no progress.
constexpr uint64_t kProgress = 1u << 20;

// RFC 9110 section 14.4: "bytes 5-9/10".
bool begins_at(const Response& response, uint64_t offset) {
    return response.header("content-range").starts_with("bytes " + std::to_string(offset) + "-");
}

}  // namespace

Status BlobStream::connect() {
    Client::Query query{
        "GET", "/blobs/" + descriptor_.digest.str(), {}, false, descriptor_.size > images::kMaxDocument};
    if (at_ > 0)
        query.headers.push_back("Range: bytes=" + std::to_string(at_) + "-" +
                                std::to_string(descriptor_.size - 1));
    const uint64_t offset = at_;
    auto answer = TRY(client_.ask(
        query,
        [offset](const Response& r) {
            return r.status() == 200 || (offset > 0 && r.status() == 206 && begins_at(r, offset));
        },
        refused_, source_));
    response_ = std::move(answer.response);
    source_ = client_.target_.endpoints[answer.endpoint].base;
    if (std::find(avoid_.begin(), avoid_.end(), source_) == avoid_.end()) avoid_.push_back(source_);
    // A server that does not know ranges sends all of it again.
    if (response_->status() == 200 && at_ > 0) return discard(at_);
    return ok();
}

Status BlobStream::discard(uint64_t count) {
    std::vector<char> buffer(65536);
    while (count > 0) {
        const size_t n = TRY(response_->read(buffer.data(), std::min<uint64_t>(count, buffer.size())));
        if (n == 0) return Error::unavailable("the answer ends before what was there before");
        count -= n;
    }
    return ok();
}

Status BlobStream::interrupted(const Error& error) {
    response_.reset();
    if (client_.stop_.stop_requested()) return stopped_error();
    if (error.kind() != Kind::Unavailable && error.kind() != Kind::TimedOut) return error;
    if (at_ >= progress_ + kProgress) failures_ = 0;
    progress_ = at_;
    ++failures_;
    if (failures_ < client_.patience_.attempts)
        return client_.pause(
            std::min(client_.patience_.first_pause * (1 << failures_), client_.patience_.longest_pause));
    return Error(Kind::Unavailable, std::string(kUnavailable) + ": " + source_ + " broke off " +
                                        std::to_string(failures_) + " times at byte " + std::to_string(at_) +
                                        " of " + std::to_string(descriptor_.size) + ": " + error.what());
}

Result<size_t> BlobStream::read(char* to, size_t size) {
    for (;;) {
        if (!response_) {
            if (at_ == descriptor_.size && descriptor_.size > 0) return size_t{0};
            if (Status connected = connect(); !connected) {
                // What ask() gives up on is final; what broke off while it was read again is not.
                if (!response_) return connected.error();
                TRY(interrupted(connected.error()));
                continue;
            }
        }
        auto n = response_->read(to, size);
        if (n && *n > 0) {
            at_ += *n;
            if (at_ > descriptor_.size)
                return Error::invalid("blob " + descriptor_.digest.str() + " from " + source_ +
                                      " is longer than the " + std::to_string(descriptor_.size) +
                                      " bytes its descriptor says");
            return *n;
        }
        if (n && at_ == descriptor_.size) return size_t{0};
        TRY(interrupted(n ? Error::unavailable("the answer ends too early") : n.error()));
    }
}

}  // namespace orlop::registry
