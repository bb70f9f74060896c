// Structs to bytes and back, for messages between our own processes on one machine: little-endian 64-bit
// integers, length-prefixed strings, lists and structs, in field order. A struct joins by giving
// `fields(archive, struct)`.
//
// A daemon meets shims that were started by an older or a newer one, and plans that those have written:
// fields are only ever added at the end of a struct. What is missing there keeps its default, what is not
// known is passed over.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"

namespace orlop::launch {

class Encoder {
  public:
    template <class... T>
    void operator()(T&... values) {
        (put(values), ...);
    }
    std::string take() { return std::move(out_); }

  private:
    template <class T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>) void put(T value) {
        const auto wide = static_cast<uint64_t>(value);
        char bytes[sizeof wide];
        std::memcpy(bytes, &wide, sizeof wide);
        out_.append(bytes, sizeof bytes);
    }
    void put(std::string& text) {
        put(text.size());
        out_.append(text);
    }
    template <class T>
    void put(std::vector<T>& list) {
        put(list.size());
        for (T& item : list) put(item);
    }
    template <class T>
    void put(std::optional<T>& maybe) {
        put(maybe.has_value());
        if (maybe) put(*maybe);
    }
    template <class A, class B>
    void put(std::pair<A, B>& both) {
        put(both.first);
        put(both.second);
    }
    template <class T>
    requires std::is_class_v<T>
    void put(T& object) {
        const size_t at = out_.size();
        put(uint64_t{0});
        fields(*this, object);
        const uint64_t size = out_.size() - at - sizeof size;
        std::memcpy(out_.data() + at, &size, sizeof size);
    }
    std::string out_;
};

// Never reads past the end: the first impossible length ends it, `finish` reports that.
class Decoder {
  public:
    explicit Decoder(std::string_view from) : left_(from) {}
    template <class... T>
    void operator()(T&... values) {
        ((not_there() ? void() : get(values)), ...);
    }
    Status finish() const {
        if (bad_) return Error::invalid("message is cut short or malformed");
        if (!left_.empty())
            return Error::invalid("message has " + std::to_string(left_.size()) + " bytes too many");
        return ok();
    }

  private:
    template <class T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>) void get(T& value) {
        uint64_t wide = 0;
        if (left_.size() < sizeof wide) return fail();
        std::memcpy(&wide, left_.data(), sizeof wide);
        left_.remove_prefix(sizeof wide);
        value = static_cast<T>(wide);
    }
    void fail() {
        bad_ = true;
        left_ = {};
    }
    // A count of things that take at least one byte each cannot exceed what is left.
    size_t get_count() {
        uint64_t count = 0;
        get(count);
        if (count <= left_.size()) return static_cast<size_t>(count);
        fail();
        return 0;
    }
    void get(std::string& text) {
        const size_t size = get_count();
        text.assign(left_.substr(0, size));
        left_.remove_prefix(size);
    }
    template <class T>
    void get(std::vector<T>& list) {
        const size_t count = get_count();
        list.clear();
        for (size_t i = 0; i < count && !bad_; ++i) {
            T item{};
            get(item);
            list.push_back(std::move(item));
        }
    }
    template <class T>
    void get(std::optional<T>& maybe) {
        bool there = false;
        get(there);
        maybe.reset();
        if (there) get(maybe.emplace());
    }
    template <class A, class B>
    void get(std::pair<A, B>& both) {
        get(both.first);
        get(both.second);
    }
    template <class T>
    requires std::is_class_v<T>
    void get(T& object) {
        const size_t size = get_count();
        if (bad_) return;
        Decoder inside(left_.substr(0, size));
        inside.in_struct_ = true;
        fields(inside, object);
        left_.remove_prefix(size);
        if (inside.bad_) fail();
    }
    // In a struct of an older writer.
    bool not_there() const { return in_struct_ && left_.empty() && !bad_; }
    std::string_view left_;
    bool in_struct_ = false;
    bool bad_ = false;
};

template <class T>
std::string encode(T object) {
    Encoder encoder;
    encoder(object);
    return encoder.take();
}

template <class T>
Result<T> decode(std::string_view bytes) {
    Decoder decoder(bytes);
    T object{};
    decoder(object);
    TRY(decoder.finish());
    return object;
}

}  // namespace orlop::launch
