// One declarative table per kind: the fields of a struct, from which reading JSON, writing JSON and the
// paths in error messages follow.
//
//     template <> struct Schema<Thing> {
//         static std::span<const Field<Thing>> fields();   // field<&Thing::name>("name", kRequired), ...
//         static void finish(Thing&, const Path&, Findings&);  // optional: defaults and cross-field rules
//     };
#pragma once

#include <concepts>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kube/document.h"
#include "kube/duration.h"
#include "kube/findings.h"
#include "kube/quantity.h"

namespace orlop::kube {

template <class T>
struct Field {
    std::string_view name;
    void (*read)(const Field&, T&, const Json&, const Path&, Findings&) = nullptr;
    void (*write)(const Field&, const T&, Json&) = nullptr;  // null: never printed
    unsigned flags = 0;
    std::string_view note;  // of refused and warned fields: what is missing
};
inline constexpr unsigned kRequired = 1;  // missing or empty is an error
inline constexpr unsigned kAlways = 2;    // printed even when it has its zero value

template <class T>
struct Schema;
template <class T>
concept HasSchema = requires {
    Schema<T>::fields();
};
template <class T>
concept HasFinish = requires(T& t, const Path& p, Findings& f) {
    Schema<T>::finish(t, p, f);
};

// Names of an enum's values in the API; the first is the default.
template <class E>
struct EnumNames;
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires {
    EnumNames<E>::table;
};

template <NamedEnum E>
std::string_view name_of(E value) {
    for (const auto& [each, name] : EnumNames<E>::table) {
        if (each == value) return name;
    }
    return "";
}

std::string type_name(const Json& json);
void mismatch(const Json& json, std::string_view expected, const Path& path, Findings& findings);
// null, "", [], {} and false: present but asking for nothing.
bool says_nothing(const Json& json);

template <class V>
struct Codec;

template <>
struct Codec<std::string> {
    static void read(const Json& json, std::string& out, const Path& path, Findings& findings);
    static Json write(const std::string& value) { return value; }
    static bool absent(const std::string& value) { return value.empty(); }
};

template <>
struct Codec<bool> {
    static void read(const Json& json, bool& out, const Path& path, Findings& findings);
    static Json write(bool value) { return value; }
    static bool absent(bool value) { return !value; }
};

template <>
struct Codec<int64_t> {
    static void read(const Json& json, int64_t& out, const Path& path, Findings& findings);
    static Json write(int64_t value) { return value; }
    static bool absent(int64_t value) { return value == 0; }
};

template <>
struct Codec<int32_t> {
    static void read(const Json& json, int32_t& out, const Path& path, Findings& findings);
    static Json write(int32_t value) { return value; }
    static bool absent(int32_t value) { return value == 0; }
};

template <>
struct Codec<Quantity> {
    static void read(const Json& json, Quantity& out, const Path& path, Findings& findings);
    static Json write(const Quantity& value) { return value.text(); }
    static bool absent(const Quantity&) { return false; }
};

template <>
struct Codec<Duration> {
    static void read(const Json& json, Duration& out, const Path& path, Findings& findings);
    static Json write(const Duration& value) { return format_duration(value.value); }
    static bool absent(const Duration&) { return false; }
};

template <>
struct Codec<Time> {
    static void read(const Json& json, Time& out, const Path& path, Findings& findings);
    static Json write(const Time& value) {
        return value.since_epoch.count() == 0 ? Json() : Json(format_time(value));
    }
    static bool absent(const Time& value) { return value.since_epoch.count() == 0; }
};

template <NamedEnum E>
struct Codec<E> {
    static void read(const Json& json, E& out, const Path& path, Findings& findings) {
        std::string text;
        Codec<std::string>::read(json, text, path, findings);
        if (!json.is_string()) return;
        std::string known;
        for (const auto& [value, name] : EnumNames<E>::table) {
            if (name == text) {
                out = value;
                return;
            }
            known += (known.empty() ? "" : ", ") + std::string(name.empty() ? "\"\"" : name);
        }
        findings.error(path, "'" + text + "' is none of " + known);
    }
    static Json write(E value) { return name_of(value); }
    static bool absent(E value) { return name_of(value).empty(); }
};

template <class V>
struct Codec<std::optional<V>> {
    static void read(const Json& json, std::optional<V>& out, const Path& path, Findings& findings) {
        Codec<V>::read(json, out.emplace(), path, findings);
    }
    static Json write(const std::optional<V>& value) { return value ? Codec<V>::write(*value) : Json(); }
    static bool absent(const std::optional<V>& value) { return !value.has_value(); }
};

template <class V>
struct Codec<std::vector<V>> {
    static void read(const Json& json, std::vector<V>& out, const Path& path, Findings& findings) {
        if (!json.is_array()) return mismatch(json, "a list", path, findings);
        out.resize(json.size());
        for (size_t i = 0; i < json.size(); ++i) Codec<V>::read(json[i], out[i], path.at(i), findings);
    }
    static Json write(const std::vector<V>& value) {
        Json out = Json::array();
        for (const V& each : value) out.push_back(Codec<V>::write(each));
        return out;
    }
    static bool absent(const std::vector<V>& value) { return value.empty(); }
};

template <class V>
struct Codec<std::map<std::string, V>> {
    static void read(const Json& json, std::map<std::string, V>& out, const Path& path, Findings& findings) {
        if (!json.is_object()) return mismatch(json, "a mapping", path, findings);
        for (const auto& [key, value] : json.items())
            Codec<V>::read(value, out[key], path.key(key), findings);
    }
    static Json write(const std::map<std::string, V>& value) {
        Json out = Json::object();
        for (const auto& [key, each] : value) out[key] = Codec<V>::write(each);
        return out;
    }
    static bool absent(const std::map<std::string, V>& value) { return value.empty(); }
};

template <class T>
requires HasSchema<T>
void read_object(const Json& json, T& out, const Path& path, Findings& findings) {
    if (!json.is_object()) return mismatch(json, "a mapping", path, findings);
    const auto fields = Schema<T>::fields();
    for (const auto& [key, value] : json.items()) {
        const Field<T>* found = nullptr;
        for (const Field<T>& each : fields) {
            if (each.name == key) found = &each;
        }
        const Path here = path.field(key);
        if (found == nullptr)
            findings.unknown(here);
        else if (!value.is_null())
            found->read(*found, out, value, here, findings);
    }
    for (const Field<T>& each : fields) {
        if ((each.flags & kRequired) == 0) continue;
        const auto at = json.find(each.name);
        if (at == json.end() || (says_nothing(*at) && !at->is_boolean()))
            findings.error(path.field(each.name), "required");
    }
    if constexpr (HasFinish<T>) Schema<T>::finish(out, path, findings);
}

template <class T>
requires HasSchema<T> Json write_object(const T& value) {
    Json out = Json::object();
    for (const Field<T>& each : Schema<T>::fields()) {
        if (each.write != nullptr) each.write(each, value, out);
    }
    return out;
}

template <class T>
requires HasSchema<T>
struct Codec<T> {
    static void read(const Json& json, T& out, const Path& path, Findings& findings) {
        read_object(json, out, path, findings);
    }
    static Json write(const T& value) { return write_object(value); }
    // An object without a single field to print is left out, unless it stands in an optional.
    static bool absent(const T& value) { return write_object(value).empty(); }
};

template <auto Member>
struct MemberOf;
template <class T, class V, V T::*M>
struct MemberOf<M> {
    using Owner = T;
    using Value = V;
};

// --- rows of a table -------------------------------------------------------------------------------------

template <auto M>
constexpr auto field(std::string_view name, unsigned flags = 0) {
    using T = typename MemberOf<M>::Owner;
    using V = typename MemberOf<M>::Value;
    Field<T> out;
    out.name = name;
    out.flags = flags;
    out.read = [](const Field<T>&, T& owner, const Json& json, const Path& path, Findings& findings) {
        Codec<V>::read(json, owner.*M, path, findings);
    };
    out.write = [](const Field<T>& self, const T& owner, Json& object) {
        if ((self.flags & kAlways) != 0 || !Codec<V>::absent(owner.*M))
            object[std::string(self.name)] = Codec<V>::write(owner.*M);
    };
    return out;
}

enum class Shape { Any, Bool, Int, String, Duration, List, Map, Number };
void check_shape(const Json& json, Shape shape, const Path& path, Findings& findings);

// Checked for its type only, and printed as it was read: means nothing to a node agent.
template <auto M, Shape S>
constexpr auto kept(std::string_view name) {
    using T = typename MemberOf<M>::Owner;
    Field<T> out;
    out.name = name;
    out.read = [](const Field<T>& self, T& owner, const Json& json, const Path& path, Findings& findings) {
        check_shape(json, S, path, findings);
        (owner.*M)[std::string(self.name)] = json;
    };
    out.write = [](const Field<T>& self, const T& owner, Json& object) {
        const auto at = (owner.*M).find(self.name);
        if (at != (owner.*M).end()) object[std::string(self.name)] = at->second;
    };
    return out;
}

// What is not built yet and would change what the workload experiences. `accepts` is the one JSON text that
// asks for nothing beyond the usual.
template <class T>
constexpr Field<T> refused(std::string_view name, std::string_view accepts = "") {
    Field<T> out;
    out.name = name;
    out.note = accepts;
    out.read = [](const Field<T>& self, T&, const Json& json, const Path& path, Findings& findings) {
        if (says_nothing(json) && (self.note.empty() || !json.is_boolean())) return;
        if (!self.note.empty() && json.dump() == self.note) return;
        findings.refuse(path, "not supported yet");
    };
    return out;
}

// Accepted, but without effect; the reader is told so by name.
template <class T, Shape S = Shape::Any>
constexpr Field<T> warned(std::string_view name, std::string_view what) {
    Field<T> out;
    out.name = name;
    out.note = what;
    out.read = [](const Field<T>& self, T&, const Json& json, const Path& path, Findings& findings) {
        check_shape(json, S, path, findings);
        if (!says_nothing(json) || json.is_boolean()) findings.warn(path, std::string(self.note));
    };
    return out;
}

}  // namespace orlop::kube
