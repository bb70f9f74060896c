// Places where tests let a daemon die: ORLOP_FAULT=<point> in its environment kills it there, as kill -9
// does. Release builds have none of it.
#pragma once

#include <string_view>

namespace orlop {

void fault_point(std::string_view name);

}  // namespace orlop
