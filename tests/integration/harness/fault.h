// Starting a program that has to refuse, and what it says.
#pragma once

#include <string>
#include <vector>

#include "harness/process.h"

namespace orlop::it {

// Runs it for at most a few seconds; a program that goes on running is a failure of the test.
Reply refused(const std::vector<std::string>& argv);
// The lines of its stderr that are not empty.
std::vector<std::string> complaint(const Reply& reply);

}  // namespace orlop::it
