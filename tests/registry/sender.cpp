#include "sender.h"

#include <algorithm>
#include <fstream>

namespace orlop::test_registry {
namespace {

constexpr uint64_t kChunk = 64 << 10;

bool does(const std::optional<Fault>& fault, const char* action) {
    return fault && fault->action == action;
}

class Body {
  public:
    explicit Body(const Reply& reply) : reply_(reply) {
        if (!reply.file.empty()) file_.open(reply.file, std::ios::binary);
    }
    std::string piece(uint64_t at, uint64_t size) {
        if (reply_.file.empty()) return reply_.body.substr(at, size);
        std::string bytes(size, '\0');
        file_.seekg(static_cast<std::streamoff>(reply_.from + at));
        file_.read(bytes.data(), static_cast<std::streamsize>(size));
        return bytes;
    }

  private:
    const Reply& reply_;
    std::ifstream file_;
};

bool stall(const Fault& fault, const Faults& faults, const Wire& wire) {
    if (fault.ms > 0) return wire.wait(fault.ms);
    const unsigned generation = faults.generation();
    while (faults.generation() == generation)
        if (!wire.wait(50)) return false;
    return true;
}

}  // namespace

uint64_t announced_size(const Reply& reply, const std::optional<Fault>& fault) {
    if (does(fault, "oversize")) return reply.size() + (fault->at < 0 ? 1 : fault->position(0));
    return reply.size();
}

Sent send_body(const Reply& reply, const std::optional<Fault>& fault, const Faults& faults,
               const Wire& wire) {
    const uint64_t size = reply.size();
    const uint64_t point = fault ? std::min(fault->position(size), size) : size;
    uint64_t chunk = kChunk;
    if (does(fault, "rate"))
        chunk = std::max<uint64_t>(1, static_cast<uint64_t>(fault->bytes_per_second) / 20);
    Body body(reply);
    Sent sent;
    bool stalls = does(fault, "stall");
    while (sent.bytes < size) {
        if (does(fault, "truncate") && sent.bytes == point) return sent;
        if (stalls && sent.bytes == point) {
            if (!stall(*fault, faults, wire)) return sent;
            stalls = false;
        }
        // a piece never goes across the point where something happens
        const uint64_t end = sent.bytes < point ? point : size;
        std::string piece = body.piece(sent.bytes, std::min(chunk, end - sent.bytes));
        if (does(fault, "corrupt") && sent.bytes == point) piece[0] = static_cast<char>(~piece[0]);
        if (!wire.write(piece.data(), piece.size())) return sent;
        sent.bytes += piece.size();
        if (does(fault, "rate") && !wire.wait(50)) return sent;
    }
    if (does(fault, "truncate")) return sent;
    if (stalls && !stall(*fault, faults, wire)) return sent;
    if (does(fault, "oversize")) {
        const std::string more(announced_size(reply, fault) - size, 'x');
        if (!wire.write(more.data(), more.size())) return sent;
        sent.bytes += more.size();
    }
    sent.whole = true;
    return sent;
}

}  // namespace orlop::test_registry
