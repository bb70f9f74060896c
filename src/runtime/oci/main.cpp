// orlop-oci: an OCI runtime with runc's command line.
#include "runtime/oci/program.h"

int main(int argc, char** argv) {
    return orlop::oci::run_program(argc, argv);
}
