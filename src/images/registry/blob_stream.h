// A blob as one stream over as many connections as it takes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "images/registry/client.h"

namespace orlop::registry {

class BlobStream final : public images::ByteStream {
  public:
    BlobStream(Client& client, const images::Descriptor& descriptor, std::vector<std::string>& avoid)
        : client_(client), descriptor_(descriptor), avoid_(avoid), refused_(avoid) {}
    // Invalid if the registry has more bytes than the descriptor says.
    Result<size_t> read(char* to, size_t size) override;

  private:
    Status connect();
    Status discard(uint64_t count);
    Status interrupted(const Error& error);

    Client& client_;
    images::Descriptor descriptor_;
    std::vector<std::string>& avoid_;         // told where bytes came from
    const std::vector<std::string> refused_;  // who was known to be wrong before
    std::unique_ptr<Response> response_;
    std::string source_;
    uint64_t at_ = 0;
    uint64_t progress_ = 0;  // where the last failure was
    int failures_ = 0;       // since then
};

}  // namespace orlop::registry
