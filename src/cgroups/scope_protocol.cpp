#include "cgroups/scope_protocol.h"

#include <algorithm>
#include <charconv>

namespace orlop::cgroups {

namespace {

constexpr std::string_view kActions[] = {"create", "slice", "set", "stop"};
constexpr std::string_view kTypes[] = {"b", "t", "s", "au", "ay", "a(st)", "a(ss)"};

using Fields = std::vector<std::string>;

Fields split(std::string_view text, char separator) {
    Fields out;
    for (;;) {
        const size_t end = text.find(separator);
        out.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return out;
        text.remove_prefix(end + 1);
    }
}

struct ToFields {
    Fields operator()(bool v) const { return {v ? "1" : "0"}; }
    Fields operator()(uint64_t v) const { return {std::to_string(v)}; }
    Fields operator()(const std::string& v) const { return {v}; }
    template <class T>
    Fields operator()(const std::vector<T>& list) const {
        Fields out;
        for (const T& one : list) append(out, one);
        return out;
    }
    template <class N>
    static void append(Fields& out, const N& number) {
        out.push_back(std::to_string(number));
    }
    static void append(Fields& out, const std::pair<std::string, uint64_t>& p) {
        out.insert(out.end(), {p.first, std::to_string(p.second)});
    }
    static void append(Fields& out, const std::pair<std::string, std::string>& p) {
        out.insert(out.end(), {p.first, p.second});
    }
};

template <class N>
Result<N> number(const std::string& text) {
    N n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size())
        return Error::invalid("\"" + text + "\" is no number");
    return n;
}

template <class N>
Result<UnitValue> numbers(const Fields& fields) {
    std::vector<N> out;
    for (const std::string& f : fields) out.push_back(TRY(number<N>(f)));
    return UnitValue(std::move(out));
}

Result<UnitValue> pairs(const Fields& fields, bool with_numbers) {
    std::vector<std::pair<std::string, uint64_t>> counted;
    std::vector<std::pair<std::string, std::string>> texts;
    if (fields.size() % 2 != 0) return Error::invalid("half a pair");
    for (size_t i = 0; i < fields.size(); i += 2) {
        if (with_numbers) {
            counted.emplace_back(fields[i], TRY(number<uint64_t>(fields[i + 1])));
        } else {
            texts.emplace_back(fields[i], fields[i + 1]);
        }
    }
    return with_numbers ? UnitValue(std::move(counted)) : UnitValue(std::move(texts));
}

Result<UnitValue> value_of(const std::string& type, const Fields& fields) {
    if (type == "au") return numbers<uint32_t>(fields);
    if (type == "ay") return numbers<uint8_t>(fields);
    if (type == "a(st)" || type == "a(ss)") return pairs(fields, type == "a(st)");
    if (fields.size() != 1) return Error::invalid("not one value");
    if (type == "t") return UnitValue(TRY(number<uint64_t>(fields[0])));
    if (type == "s") return UnitValue(fields[0]);
    if (type != "b" || (fields[0] != "0" && fields[0] != "1")) return Error::invalid("no such type or value");
    return UnitValue(fields[0] == "1");
}

Result<UnitProperty> property_of(const std::string& line) {
    const Fields fields = split(line, '\t');
    if (fields.size() < 3 || fields[1].empty()) return Error::invalid("no property: " + line);
    // Before anything is built of them: an early return from within braces would leak.
    const unsigned since = TRY(number<unsigned>(fields[0]));
    UnitValue value = TRY(value_of(fields[2], Fields(fields.begin() + 3, fields.end())).under(fields[1]));
    return UnitProperty{fields[1], std::move(value), since};
}

}  // namespace

Result<std::string> encode_request(const ScopeRequest& request) {
    Fields lines = {std::string(kActions[static_cast<size_t>(request.action)]) + "\t" + request.unit};
    size_t tabs = 1;
    for (const UnitProperty& p : request.properties) {
        std::string line =
            std::to_string(p.since) + "\t" + p.name + "\t" + std::string(kTypes[p.value.index()]);
        tabs += 2;
        for (const std::string& field : std::visit(ToFields(), p.value)) {
            line += "\t" + field;
            ++tabs;
        }
        lines.push_back(std::move(line));
    }
    std::string out;
    for (const std::string& line : lines) out += line + "\n";
    const auto count = [&out](char c) { return static_cast<size_t>(std::count(out.begin(), out.end(), c)); };
    if (count('\t') != tabs || count('\n') != lines.size() || count('\0') != 0 || request.unit.empty())
        return Error::invalid("the unit " + request.unit + " or a property of it has a tab or a newline");
    return out + "\n";
}

Result<ScopeRequest> decode_request(std::string_view text) {
    if (!is_whole_request(text)) return Error::invalid("half a request");
    const Fields lines = split(text.substr(0, text.size() - 2), '\n');
    const Fields first = split(lines[0], '\t');
    const auto action = std::find(std::begin(kActions), std::end(kActions), first[0]);
    if (first.size() != 2 || first[1].empty() || action == std::end(kActions))
        return Error::invalid("no request: " + lines[0]);
    ScopeRequest out{static_cast<ScopeAction>(action - std::begin(kActions)), first[1], {}};
    for (size_t i = 1; i < lines.size(); ++i) out.properties.push_back(TRY(property_of(lines[i])));
    return out;
}

bool is_whole_request(std::string_view text) {
    return text.ends_with("\n\n");
}

std::string encode_reply(const Status& reply) {
    if (reply) return "ok\n";
    std::string what = reply.error().what();
    std::replace(what.begin(), what.end(), '\n', ' ');
    return "error\t" + std::to_string(static_cast<int>(reply.error().kind())) + "\t" +
           std::to_string(reply.error().errnum()) + "\t" + what + "\n";
}

Status decode_reply(std::string_view text) {
    if (text == "ok\n") return ok();
    const Error strange = Error::failed("orlop-scope answered \"" + std::string(text.substr(0, 200)) + "\"");
    if (!text.ends_with('\n')) return strange;
    const Fields fields = split(text.substr(0, text.size() - 1), '\t');
    if (fields.size() < 4 || fields[0] != "error") return strange;
    const auto kind = number<unsigned>(fields[1]);
    const auto errnum = number<int>(fields[2]);
    if (!kind || *kind > static_cast<unsigned>(Kind::Unimplemented) || !errnum) return strange;
    std::string what = fields[3];
    for (size_t i = 4; i < fields.size(); ++i) what += "\t" + fields[i];
    return Error(static_cast<Kind>(*kind), std::move(what), *errnum);
}

}  // namespace orlop::cgroups
