// The program: global flags, then the one command.
#pragma once

namespace orlop::oci {

// The process's exit code.
int run_program(int argc, char** argv);

}  // namespace orlop::oci
