// systemd's manager over sd-bus: starting, changing and stopping units, each waiting for its job.
#pragma once

#include <systemd/sd-bus.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cgroups/unit_property.h"

namespace orlop::cgroups {

struct BusClose {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};

// A connection for one operation: cheap on the private socket, and free of state when systemd or dbus
// restarts.
class Manager {
  public:
    static Result<Manager> connect();

    // The running systemd's, as "252.39-1~deb12u1" begins.
    Result<unsigned> version();
    // Properties that the running systemd does not know are left out of both:
    // StartTransientUnit(name, "fail", ...) and its job. Exists when there is such a unit.
    Status start_transient(const std::string& unit, const std::vector<UnitProperty>& properties);
    // SetUnitProperties(name, runtime=true, ...).
    Status set_properties(const std::string& unit, const std::vector<UnitProperty>& properties);
    // StopUnit and its job, then ResetFailedUnit; a unit that does not exist is fine.
    Status stop(const std::string& unit);

  private:
    explicit Manager(sd_bus* bus) : bus_(bus) {}
    using Message = std::unique_ptr<sd_bus_message, sd_bus_message* (*)(sd_bus_message*)>;
    Result<Message> call(const char* method, const std::function<int(sd_bus_message*)>& fill);
    Result<std::vector<UnitProperty>> known(const std::vector<UnitProperty>& properties);
    Status run_job(const char* method, const std::string& unit,
                   const std::function<int(sd_bus_message*)>& fill);
    Status wait_job(const std::string& job, const std::string& unit);

    std::unique_ptr<sd_bus, BusClose> bus_;
    std::vector<std::pair<std::string, std::string>> removed_;  // {job path, result} of JobRemoved
};

}  // namespace orlop::cgroups
