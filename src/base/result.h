// Result<T>: a value or an Error. An Error keeps its kind, the errno and a chain of "what":
// inner code says what failed, outer code says for whom (`under`), the edge logs it once.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace orlop {

// What a caller can do about it; the CRI server maps kinds to gRPC codes.
enum class Kind {
    Failed,         // anything else
    NotFound,       // the named thing does not exist
    Invalid,        // the caller's input is wrong: fix it, do not retry
    Exists,         // the name is taken
    Unavailable,    // a peer is not there (yet): retry later
    TimedOut,       // a deadline passed
    Exhausted,      // a limit is reached
    Precondition,   // the thing is in the wrong state for this
    Unimplemented,  // a feature this build or kernel lacks
};

class Error {
  public:
    Error(Kind kind, std::string what, int errnum = 0)
        : what_(std::move(what)), errnum_(errnum), kind_(kind) {}

    // The errno of the call that just failed; ENOENT, EEXIST, ETIMEDOUT and ENOSYS choose the kind.
    static Error sys(std::string_view what, int errnum = errno);
    static Error failed(std::string what) { return {Kind::Failed, std::move(what)}; }
    static Error invalid(std::string what) { return {Kind::Invalid, std::move(what)}; }
    static Error not_found(std::string what) { return {Kind::NotFound, std::move(what)}; }
    static Error unavailable(std::string what) { return {Kind::Unavailable, std::move(what)}; }
    static Error precondition(std::string what) { return {Kind::Precondition, std::move(what)}; }
    static Error timed_out(std::string what) { return {Kind::TimedOut, std::move(what)}; }
    static Error unimplemented(std::string what) { return {Kind::Unimplemented, std::move(what)}; }

    // Adds for whom it failed: "context: what".
    Error under(std::string_view context) &&;
    // Both errors of a failed action and its failed undo.
    Error also(const Error& other) &&;

    const std::string& what() const { return what_; }
    int errnum() const { return errnum_; }
    Kind kind() const { return kind_; }

  private:
    std::string what_;
    int errnum_;
    Kind kind_;
};

template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : v_(std::in_place_index<1>, std::move(error)) {}
    template <class U>
    requires(!std::is_same_v<std::remove_cvref_t<U>, Result> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> && std::is_convertible_v<U, T>) Result(U&& value)
        : v_(std::in_place_index<0>, std::forward<U>(value)) {}

    explicit operator bool() const { return v_.index() == 0; }
    bool ok() const { return v_.index() == 0; }
    T& value() & { return std::get<0>(v_); }
    const T& value() const& { return std::get<0>(v_); }
    T&& value() && { return std::get<0>(std::move(v_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T value_or(T other) const& { return ok() ? value() : std::move(other); }
    const Error& error() const& { return std::get<1>(v_); }
    Error&& error() && { return std::get<1>(std::move(v_)); }

    Result under(std::string_view context) && {
        return ok() ? std::move(*this) : Result(std::move(*this).error().under(context));
    }

  private:
    std::variant<T, Error> v_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return ok(); }
    bool ok() const { return error_.index() == 0; }
    void value() const {}
    const Error& error() const& { return std::get<1>(error_); }
    Error&& error() && { return std::get<1>(std::move(error_)); }

    Result under(std::string_view context) && {
        return ok() ? std::move(*this) : Result(std::move(*this).error().under(context));
    }

  private:
    std::variant<std::monostate, Error> error_;
};

using Status = Result<void>;
inline Status ok() {
    return {};
}

// TRY(expr): the value of a Result, or return its error from this function.
#define ORLOP_TRY_NAMED(result, expr)                  \
    ({                                                 \
        auto&& result = (expr);                        \
        if (!result) return std::move(result).error(); \
        std::move(result).value();                     \
    })
#define ORLOP_TRY_JOIN(a, b) a##b
#define ORLOP_TRY_COUNTED(expr, n) ORLOP_TRY_NAMED(ORLOP_TRY_JOIN(orlop_result_, n), expr)
#define ORLOP_TRY_EXPAND(expr, n) ORLOP_TRY_COUNTED(expr, n)
#define TRY(expr) ORLOP_TRY_EXPAND(expr, __COUNTER__)

}  // namespace orlop
