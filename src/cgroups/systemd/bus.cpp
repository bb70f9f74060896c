#include "cgroups/systemd/bus.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace orlop::cgroups {

namespace {

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kPath = "/org/freedesktop/systemd1";
constexpr const char* kInterface = "org.freedesktop.systemd1.Manager";
// A job takes 12..35 ms; a manager that is reloading or starved takes longer.
constexpr Nanos kDeadline = std::chrono::seconds(30);

uint64_t micros(Nanos ns) {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(ns).count());
}

// Appends the variant of a property's value.
struct AppendValue {
    sd_bus_message* m;

    int operator()(bool v) const { return sd_bus_message_append(m, "v", "b", static_cast<int>(v)); }
    int operator()(uint64_t v) const { return sd_bus_message_append(m, "v", "t", v); }
    int operator()(const std::string& v) const { return sd_bus_message_append(m, "v", "s", v.c_str()); }
    int operator()(const std::vector<uint32_t>& v) const { return numbers("au", 'u', v); }
    int operator()(const std::vector<uint8_t>& v) const { return numbers("ay", 'y', v); }
    int operator()(const std::vector<std::pair<std::string, uint64_t>>& v) const {
        return pairs("a(st)", "(st)", v, [this](const auto& p) {
            return sd_bus_message_append(m, "(st)", p.first.c_str(), p.second);
        });
    }
    int operator()(const std::vector<std::pair<std::string, std::string>>& v) const {
        return pairs("a(ss)", "(ss)", v, [this](const auto& p) {
            return sd_bus_message_append(m, "(ss)", p.first.c_str(), p.second.c_str());
        });
    }

    template <class N>
    int numbers(const char* type, char of, const std::vector<N>& v) const {
        int r = sd_bus_message_open_container(m, 'v', type);
        if (r >= 0) r = sd_bus_message_append_array(m, of, v.data(), v.size() * sizeof(N));
        return r < 0 ? r : sd_bus_message_close_container(m);
    }
    template <class Pairs, class Append>
    int pairs(const char* type, const char* of, const Pairs& v, const Append& append_one) const {
        int r = sd_bus_message_open_container(m, 'v', type);
        if (r >= 0) r = sd_bus_message_open_container(m, 'a', of);
        for (const auto& p : v) {
            if (r >= 0) r = append_one(p);
        }
        if (r >= 0) r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
    }
};

int append(sd_bus_message* m, const UnitProperty& p) {
    int r = sd_bus_message_open_container(m, 'r', "sv");
    if (r >= 0) r = sd_bus_message_append(m, "s", p.name.c_str());
    if (r >= 0) r = std::visit(AppendValue{m}, p.value);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int append_all(sd_bus_message* m, const std::vector<UnitProperty>& properties) {
    int r = sd_bus_message_open_container(m, 'a', "(sv)");
    for (const UnitProperty& p : properties) {
        if (r >= 0) r = append(m, p);
    }
    return r < 0 ? r : sd_bus_message_close_container(m);
}

Error bus_error(const std::string& what, const sd_bus_error& error, int r) {
    const std::string name = error.name != nullptr ? error.name : "";
    const std::string text = error.message != nullptr ? error.message : "";
    Kind kind = Kind::Failed;
    if (name == "org.freedesktop.systemd1.UnitExists") kind = Kind::Exists;
    if (name == "org.freedesktop.systemd1.NoSuchUnit") kind = Kind::NotFound;
    if (name.empty() || r == -ETIMEDOUT) return Error::sys(what, -r);
    return Error(kind, what + ": " + text + " (" + name + ")", -r);
}

int note_removed(sd_bus_message* m, void* into, sd_bus_error*) {
    uint32_t id = 0;
    const char* job = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    const int r = sd_bus_message_read(m, "uoss", &id, &job, &unit, &result);
    if (r >= 0)
        static_cast<std::vector<std::pair<std::string, std::string>>*>(into)->emplace_back(job, result);
    return 0;
}

}  // namespace

Result<Manager> Manager::connect() {
    sd_bus* raw = nullptr;
    int r = sd_bus_new(&raw);
    if (r < 0) return Error::sys("sd_bus_new", -r);
    Manager manager(raw);
    // The manager's own socket needs no dbus daemon; without it (unusual) the system bus does.
    r = sd_bus_set_address(raw, "unix:path=/run/systemd/private");
    if (r >= 0) r = sd_bus_start(raw);
    if (r >= 0) return manager;
    raw = nullptr;
    r = sd_bus_open_system(&raw);
    if (r < 0) return Error(Kind::Unavailable, Error::sys("connect to systemd", -r).what(), -r);
    Manager by_bus(raw);
    TRY(by_bus.call("Subscribe", [](sd_bus_message*) { return 0; }));
    return by_bus;
}

Result<Manager::Message> Manager::call(const char* method, const std::function<int(sd_bus_message*)>& fill) {
    sd_bus_message* raw = nullptr;
    int r = sd_bus_message_new_method_call(bus_.get(), &raw, kService, kPath, kInterface, method);
    Message request(raw, sd_bus_message_unref);
    if (r >= 0) r = fill(raw);
    if (r < 0) return Error::sys(std::string("compose ") + method, -r);
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message* reply = nullptr;
    r = sd_bus_call(bus_.get(), raw, micros(kDeadline), &error, &reply);
    if (r < 0) {
        Error failed = bus_error(std::string("systemd ") + method, error, r);
        sd_bus_error_free(&error);
        return failed;
    }
    return Message(reply, sd_bus_message_unref);
}

Status Manager::run_job(const char* method, const std::string& unit,
                        const std::function<int(sd_bus_message*)>& fill) {
    removed_.clear();
    sd_bus_slot* slot = nullptr;
    // Asked for before the call, so that a fast job cannot end unseen.
    const int r = sd_bus_match_signal(bus_.get(), &slot, nullptr, kPath, kInterface, "JobRemoved",
                                      note_removed, &removed_);
    if (r < 0) return Error::sys("listen for JobRemoved", -r);
    const std::unique_ptr<sd_bus_slot, sd_bus_slot* (*)(sd_bus_slot*)> listening(slot, sd_bus_slot_unref);
    const Message reply = TRY(call(method, fill));
    const char* job = nullptr;
    if (const int e = sd_bus_message_read(reply.get(), "o", &job); e < 0)
        return Error::sys("read the job", -e);
    return wait_job(job, unit);
}

Status Manager::wait_job(const std::string& job, const std::string& unit) {
    const Nanos end = SystemClock().monotonic() + kDeadline;
    for (;;) {
        const auto found =
            std::find_if(removed_.begin(), removed_.end(), [&job](const auto& r) { return r.first == job; });
        if (found != removed_.end()) {
            if (found->second == "done") return ok();
            return Error::failed("systemd: the job for " + unit + " ended as \"" + found->second + "\"");
        }
        const int r = sd_bus_process(bus_.get(), nullptr);
        if (r < 0) return Error::sys("wait for the job of " + unit, -r);
        if (r > 0) continue;
        const Nanos left = end - SystemClock().monotonic();
        if (left <= Nanos(0))
            return Error::timed_out("systemd: the job for " + unit + " did not end in time");
        sd_bus_wait(bus_.get(), micros(left));
    }
}

Result<unsigned> Manager::version() {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    char* text = nullptr;
    const int r =
        sd_bus_get_property_string(bus_.get(), kService, kPath, kInterface, "Version", &error, &text);
    const std::unique_ptr<char, void (*)(void*)> owned(text, std::free);
    if (r < 0) {
        Error failed = bus_error("systemd's version", error, r);
        sd_bus_error_free(&error);
        return failed;
    }
    // Some distributions say "systemd 252" or "v252".
    const std::string_view all = text;
    const std::string_view digits = all.substr(std::min(all.find_first_of("0123456789"), all.size()));
    unsigned version = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), version);
    return version;
}

Result<std::vector<UnitProperty>> Manager::known(const std::vector<UnitProperty>& properties) {
    std::vector<UnitProperty> out = properties;
    if (std::none_of(out.begin(), out.end(), [](const UnitProperty& p) { return p.since > 0; })) return out;
    std::erase_if(out, [running = TRY(version())](const UnitProperty& p) { return p.since > running; });
    return out;
}

Status Manager::start_transient(const std::string& unit, const std::vector<UnitProperty>& properties) {
    const auto all = TRY(known(properties));
    return run_job("StartTransientUnit", unit, [&](sd_bus_message* m) {
        int r = sd_bus_message_append(m, "ss", unit.c_str(), "fail");
        if (r >= 0) r = append_all(m, all);
        return r < 0 ? r : sd_bus_message_append(m, "a(sa(sv))", 0);
    });
}

Status Manager::set_properties(const std::string& unit, const std::vector<UnitProperty>& properties) {
    const auto all = TRY(known(properties));
    if (all.empty()) return ok();
    TRY(call("SetUnitProperties", [&](sd_bus_message* m) {
        const int r = sd_bus_message_append(m, "sb", unit.c_str(), 1);
        return r < 0 ? r : append_all(m, all);
    }));
    return ok();
}

Status Manager::stop(const std::string& unit) {
    auto stopped = run_job("StopUnit", unit, [&](sd_bus_message* m) {
        return sd_bus_message_append(m, "ss", unit.c_str(), "replace");
    });
    if (!stopped && stopped.error().kind() != Kind::NotFound) return stopped;
    auto reset = call("ResetFailedUnit",
                      [&](sd_bus_message* m) { return sd_bus_message_append(m, "s", unit.c_str()); });
    if (!reset && reset.error().kind() != Kind::NotFound) return std::move(reset).error();
    return ok();
}

}  // namespace orlop::cgroups
