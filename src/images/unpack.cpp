#include "images/unpack.h"

#include <algorithm>
#include <cstring>

#include "images/archive.h"
#include "images/attributes.h"
#include "images/layer_writer.h"

namespace orlop::images {

namespace {

// Some tools (umoci insert) leave out the padding of the last file, and Go's reader, which all other
// runtimes use, does not mind.
class PaddedStream final : public ByteStream {
  public:
    explicit PaddedStream(ByteStream& from) : from_(from) {}
    Result<size_t> read(char* to, size_t size) override {
        const size_t n = TRY(from_.read(to, size));
        total_ += n;
        if (n > 0 || total_ % kBlock == 0) return n;
        const size_t missing = std::min<size_t>(size, kBlock - total_ % kBlock);
        std::memset(to, 0, missing);
        total_ += missing;
        return missing;
    }

  private:
    static constexpr size_t kBlock = 512;
    ByteStream& from_;
    uint64_t total_ = 0;
};

Status unpack_entries(ByteStream& tar, LayerWriter& writer, const UnpackOptions& options) {
    const auto reader = TRY(ArchiveReader::open(tar, ArchiveReader::Format::Tar));
    for (uint64_t count = 0;; ++count) {
        archive_entry* raw = TRY(reader->next());
        if (raw == nullptr) return ok();
        if (count == options.limits.entries)
            return Error(Kind::Exhausted,
                         "more than " + std::to_string(options.limits.entries) + " entries in a layer");
        const LayerEntry entry = TRY(translate_entry(raw, options.limits));
        const bool whiteout = entry.kind == EntryKind::Whiteout || entry.kind == EntryKind::Opaque ||
                              entry.kind == EntryKind::Ignored;
        if (whiteout && !options.layer)
            return Error::invalid("\"" + entry.path +
                                  "\" is a whiteout: this is a layer, not a whole root filesystem");
        TRY(writer.apply(entry, *reader));
    }
}

}  // namespace

Result<Unpacked> unpack_layer(ByteStream& tar, const Dir& into, const UnpackOptions& options) {
    HashingStream hashed(tar, options.limits.bytes);
    LayerWriter writer(into, options.lowers);
    // What a tar without an entry for its root means.
    TRY(set_attributes(into.fd(), Attributes{0755, 0, 0, {}, {}}));
    PaddedStream padded(hashed);
    TRY(unpack_entries(options.layer ? static_cast<ByteStream&>(padded) : hashed, writer, options));
    TRY(writer.finish());
    TRY(hashed.drain());
    return Unpacked{hashed.digest(), writer.implied_parents(), writer.root_opaque(), writer.from_below()};
}

}  // namespace orlop::images
