// The systemd driver: transient slices and scopes through sd-bus (org.freedesktop.systemd1(5)).
#pragma once

#include <memory>

#include "cgroups/driver.h"

namespace orlop::cgroups {

// Connects to the system bus, or to /run/systemd/private when there is no bus; reconnects when systemd or
// dbus restarts. Thread-safe: several pods may be created at once, jobs run in parallel. Each job has a 30 s
// deadline.
Result<std::unique_ptr<Driver>> make_systemd_driver(const Hierarchies& hierarchies);

// sd_booted(3): is systemd PID 1 here?
bool systemd_is_running();

}  // namespace orlop::cgroups
