// A stream that another thread reads while its bytes are used: decompression beside unpacking.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "images/stream.h"

namespace orlop::images {

class ReadAhead final : public ByteStream {
  public:
    // `from` must outlive it and is its thread's alone until the end was read or it is destroyed; destroying
    // it waits for a read of `from` that is under way.
    explicit ReadAhead(ByteStream& from);
    ReadAhead(const ReadAhead&) = delete;
    ReadAhead& operator=(const ReadAhead&) = delete;
    ~ReadAhead() override = default;
    Result<size_t> read(char* to, size_t size) override;

  private:
    void fill(const std::stop_token& stop);

    ByteStream& from_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::string> full_;
    bool ended_ = false;
    std::optional<Error> failure_;
    std::string taken_;  // of the reader
    size_t at_ = 0;
    std::jthread thread_;  // last: it uses the rest
};

}  // namespace orlop::images
