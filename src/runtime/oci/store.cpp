#include "runtime/oci/store.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "base/weak.h"

namespace orlop::oci {

namespace {

constexpr size_t kConfigLimit = 64u << 20;

struct flock write_lock() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

// F_SETLKW has no deadline of its own: a timer's signal interrupts it.
class Alarm {
  public:
    explicit Alarm(Nanos timeout) {
        struct sigaction action {};
        action.sa_handler = [](int) {};
        sigaction(SIGALRM, &action, &before_);
        set(timeout);
    }
    ~Alarm() {
        set(Nanos(0));
        sigaction(SIGALRM, &before_, nullptr);
    }
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;

  private:
    static void set(Nanos timeout) {
        const auto us = std::chrono::duration_cast<std::chrono::microseconds>(timeout).count();
        // Again and again, should the first signal come before the call that it is to interrupt.
        const itimerval timer{{0, us > 0 ? 100'000 : 0}, {us / 1'000'000, us % 1'000'000}};
        setitimer(ITIMER_REAL, &timer, nullptr);
    }
    struct sigaction before_ {};
};

// Ids of processes, environment and mounts of a container are no business of the host's users
// (CVE-2021-41103).
mode_t closed(mode_t mode) {
    return weakened("state-modes") ? mode | 0055 : mode;
}

Error does_not_exist(const std::string& id) {
    return Error::not_found("container does not exist: " + id);
}

}  // namespace

Result<ContainerDir> ContainerDir::make(const std::string& root, const Id& id) {
    Dir parent = TRY(Dir::make(root, 0700));
    if (mkdirat(parent.fd(), id.str().c_str(), closed(0700)) != 0) {
        if (errno == EEXIST) return Error(Kind::Exists, "container with id " + id.str() + " already exists");
        return Error::sys("mkdir " + root + "/" + id.str());
    }
    Dir dir = TRY(parent.open_dir(id.str(), Resolve::NoSymlinks));
    ContainerDir made(std::move(parent), std::move(dir), id.str());
    TRY(made.lock(std::chrono::seconds(1)));
    return made;
}

Result<ContainerDir> ContainerDir::open(const std::string& root, const Id& id) {
    auto parent = Dir::open(root);
    if (!parent && parent.error().kind() == Kind::NotFound) return does_not_exist(id.str());
    if (!parent) return std::move(parent).error();
    auto dir = parent->open_dir(id.str(), Resolve::NoSymlinks);
    if (!dir && dir.error().kind() == Kind::NotFound) return does_not_exist(id.str());
    if (!dir) return std::move(dir).error();
    return ContainerDir(*std::move(parent), *std::move(dir), id.str());
}

uid_t ContainerDir::owner() const {
    struct stat st {};
    return fstat(dir_.fd(), &st) == 0 ? st.st_uid : 0;
}

// A record lock, because flock(2)'s would be shared with the child that waits at the gate.
Status ContainerDir::lock(Nanos timeout) {
    auto file = dir_.open_file("lock", O_RDWR | O_CREAT, 0600);
    if (!file && file.error().kind() == Kind::NotFound) return does_not_exist(id_);
    if (!file) return std::move(file).error();
    struct flock lock = write_lock();
    if (fcntl(file->get(), F_SETLK, &lock) != 0) {
        if (errno != EAGAIN && errno != EACCES) return Error::sys("lock " + path());
        Alarm alarm(timeout);
        if (fcntl(file->get(), F_SETLKW, &lock) != 0) {
            if (errno != EINTR) return Error::sys("lock " + path());
            return Error::timed_out("container " + id_ + " is in use by another command");
        }
    }
    struct stat st {};
    if (fstat(file->get(), &st) != 0) return Error::sys("stat " + path() + "/lock");
    if (st.st_nlink == 0) return does_not_exist(id_);
    lock_ = *std::move(file);
    return ok();
}

void ContainerDir::unlock() {
    lock_.reset();
}

bool ContainerDir::in_use() const {
    if (lock_) return false;
    auto file = dir_.open_file("lock", O_RDWR);
    if (!file) return false;
    struct flock lock = write_lock();
    return fcntl(file->get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

Result<Record> ContainerDir::record() const {
    auto read = dir_.read("state.json");
    if (!read && read.error().kind() == Kind::NotFound) {
        return Error::failed(
            "container " + id_ +
            " has no state: its creator is just starting or was killed (delete --force removes it)");
    }
    const std::string text = TRY(std::move(read));
    Record record = TRY(record_from_json(text).under(path() + "/state.json"));
    const auto process = dir_.read("process");
    if (process) TRY(set_process(record, *process).under(path() + "/process"));
    if (!process && process.error().kind() != Kind::NotFound) return process.error();
    return record;
}

Status ContainerDir::write_record(const Record& record) const {
    return publish("state.json", to_json(record));
}

Status ContainerDir::write_process(const Record& record) const {
    return publish("process", process_line(record));
}

Result<std::string> ContainerDir::config() const {
    return dir_.read("config.json", kConfigLimit);
}

Status ContainerDir::write_config(std::string_view config_json) const {
    return publish("config.json", config_json);
}

// Not Dir::write_atomic: what is told here ends with the kernel, so syncing it to a disk would be waiting for
// nothing. Nor is a file replaced: ext4 writes out what takes another file's name (auto_da_alloc).
Status ContainerDir::publish(const std::string& name, std::string_view content) const {
    const std::string temporary = "." + name + ".tmp";
    {
        UniqueFd file = TRY(dir_.open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, closed(0600)));
        TRY(write_all(file.get(), content).under(path() + "/" + name));
    }
    if (renameat(dir_.fd(), temporary.c_str(), dir_.fd(), name.c_str()) != 0) {
        return Error::sys("rename " + path() + "/" + name);
    }
    return ok();
}

Status ContainerDir::remove() const {
    return root_.remove_tree(id_);
}

Result<std::vector<Id>> list_containers(const std::string& root) {
    std::vector<Id> ids;
    auto dir = Dir::open(root);
    if (!dir && dir.error().kind() == Kind::NotFound) return ids;
    if (!dir) return std::move(dir).error();
    for (const std::string& name : TRY(dir->list())) {
        if (name.starts_with(".")) continue;
        if (auto id = Id::parse(name)) ids.push_back(*std::move(id));
    }
    return ids;
}

Result<std::string> staging_dir(const std::string& root) {
    std::string path = root + "/.staging";
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Error::sys("mkdir " + path);
    return path;
}

}  // namespace orlop::oci
