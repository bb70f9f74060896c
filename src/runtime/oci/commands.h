// The commands, one file each; the result is the exit code.
#pragma once

#include "base/result.h"
#include "runtime/oci/call.h"

namespace orlop::oci {

Result<int> create_command(const Call& call);
Result<int> start_command(const Call& call);
Result<int> run_command(const Call& call);
Result<int> exec_command(const Call& call);
Result<int> kill_command(const Call& call);
Result<int> delete_command(const Call& call);
Result<int> list_command(const Call& call);
Result<int> ps_command(const Call& call);
Result<int> state_command(const Call& call);
Result<int> pause_command(const Call& call);
Result<int> resume_command(const Call& call);
Result<int> update_command(const Call& call);
Result<int> spec_command(const Call& call);
Result<int> features_command(const Call& call);
Result<int> events_command(const Call& call);
Result<int> checkpoint_command(const Call& call);
Result<int> restore_command(const Call& call);

}  // namespace orlop::oci
