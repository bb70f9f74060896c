// The state directory:
//
//   <root>/                 0700
//     .cache/seccomp/       compiled filters (seccomp/profile.h)
//     .staging/             empty; a new root is attached here, in the container's mount namespace only
//     <id>/                 0700, one a container; making it claims the id
//       lock                POSIX record lock of the command that changes the container
//       config.json         as it was at create: later commands do not need the bundle
//       state.json          record.h; written before anything else of the container is made
//       process             "PID START": its first process; written once it is created
//       gate                socket of a created container (launch/gate.h), gone once it is started
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/dir.h"
#include "runtime/oci/id.h"
#include "runtime/oci/record.h"

namespace orlop::oci {

class ContainerDir {
  public:
    // Claims the id, locked. Exists when there is such a container.
    static Result<ContainerDir> make(const std::string& root, const Id& id);
    // NotFound when there is none. Not locked.
    static Result<ContainerDir> open(const std::string& root, const Id& id);

    const std::string& path() const { return dir_.path(); }
    // By the directory's descriptor: its real path may be longer than a socket's address can hold.
    std::string gate_path() const { return "/proc/self/fd/" + std::to_string(dir_.fd()) + "/gate"; }
    uid_t owner() const;

    // Waits for another command to finish with the container, until the deadline. NotFound when that command
    // removed it.
    Status lock(Nanos timeout);
    void unlock();
    // Some command holds the lock, and it is not this one.
    bool in_use() const;

    Result<Record> record() const;
    Status write_record(const Record& record) const;   // state.json
    Status write_process(const Record& record) const;  // process
    Result<std::string> config() const;
    Status write_config(std::string_view config_json) const;
    bool has_gate() const { return dir_.exists("gate"); }
    Status remove_gate() const { return dir_.unlink("gate"); }
    // The whole directory.
    Status remove() const;

  private:
    ContainerDir(Dir root, Dir dir, std::string id)
        : root_(std::move(root)), dir_(std::move(dir)), id_(std::move(id)) {}
    Status publish(const std::string& name, std::string_view content) const;

    Dir root_;
    Dir dir_;
    std::string id_;
    UniqueFd lock_;
};

// Ids under `root`; none when it does not exist.
Result<std::vector<Id>> list_containers(const std::string& root);

// An empty directory `<root>/.staging`.
Result<std::string> staging_dir(const std::string& root);

}  // namespace orlop::oci
