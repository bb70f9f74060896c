#include "agent/act/pod_files.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/dir.h"

namespace orlop::agent {

namespace {

constexpr mode_t kPodMode = 0750;
constexpr size_t kMessageLimit = 4096;

Status make_memory_dir(const Dir& dirs, const std::string& name, const kube::EmptyDir& empty) {
    Dir dir = TRY(dirs.make_dir(name, 0777));
    struct stat own {};
    struct stat parent {};
    if (fstat(dir.fd(), &own) != 0 || fstat(dirs.fd(), &parent) != 0) return Error::sys("stat " + dir.path());
    if (own.st_dev != parent.st_dev) return ok();  // mounted already
    std::string options = "mode=0777";
    if (empty.size_limit && !empty.size_limit->zero())
        options += ",size=" + std::to_string(empty.size_limit->value());
    const std::string target = "/proc/self/fd/" + std::to_string(dir.fd());
    if (mount("tmpfs", target.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
        return Error::sys("mount tmpfs on " + dir.path());
    return ok();
}

Status make_empty_dir(const kube::Pod& pod, const kube::Volume& volume, const Dir& dirs) {
    if (volume.empty_dir && volume.empty_dir->medium == kube::Medium::Memory)
        TRY(make_memory_dir(dirs, volume.name, *volume.empty_dir));
    else
        TRY(dirs.make_dir(volume.name, 0777));
    // Opened after the mount, so that the mode is that of the tmpfs; mkdir(2) obeys the umask.
    const Dir dir = TRY(dirs.open_dir(volume.name));
    const bool group = pod.spec.security && pod.spec.security->fs_group;
    if (group &&
        fchown(dir.fd(), static_cast<uid_t>(-1), static_cast<gid_t>(*pod.spec.security->fs_group)) != 0)
        return Error::sys("chown " + dir.path());
    if (fchmod(dir.fd(), group ? 02777 : 0777) != 0) return Error::sys("chmod " + dir.path());
    return ok();
}

std::string wanted_name(kube::HostPathType type) {
    switch (type) {
        case kube::HostPathType::Socket:
            return "a socket";
        case kube::HostPathType::CharDevice:
            return "a character device";
        case kube::HostPathType::BlockDevice:
            return "a block device";
        case kube::HostPathType::File:
        case kube::HostPathType::FileOrCreate:
            return "a file";
        default:
            return "a directory";
    }
}

bool fits(mode_t mode, kube::HostPathType type) {
    switch (type) {
        case kube::HostPathType::Unset:
            return true;
        case kube::HostPathType::Directory:
        case kube::HostPathType::DirectoryOrCreate:
            return S_ISDIR(mode);
        case kube::HostPathType::File:
        case kube::HostPathType::FileOrCreate:
            return S_ISREG(mode);
        case kube::HostPathType::Socket:
            return S_ISSOCK(mode);
        case kube::HostPathType::CharDevice:
            return S_ISCHR(mode);
        case kube::HostPathType::BlockDevice:
            return S_ISBLK(mode);
    }
    return false;
}

Status check_host_path(const kube::HostPath& host) {
    if (host.type == kube::HostPathType::Unset) return ok();
    struct stat st {};
    if (stat(host.path.c_str(), &st) != 0) {
        if (errno != ENOENT) return Error::sys("hostPath " + host.path);
        if (host.type == kube::HostPathType::DirectoryOrCreate) return make_dirs(host.path);
        if (host.type != kube::HostPathType::FileOrCreate)
            return Error::not_found("hostPath type check failed: " + host.path + " does not exist");
        const UniqueFd made(::open(host.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
        if (!made) return Error::sys("create " + host.path);
        return ok();
    }
    if (!fits(st.st_mode, host.type))
        return Error::precondition("hostPath type check failed: " + host.path + " is not " +
                                   wanted_name(host.type));
    return ok();
}

Status unmount_below(const Dir& dirs) {
    for (const std::string& name : TRY(dirs.list())) {
        const std::string path = dirs.path() + "/" + name;
        if (umount2(path.c_str(), UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT)
            return Error::sys("unmount " + path);
    }
    return ok();
}

Status remove_below(const std::string& parent, const std::string& name) {
    const auto dir = Dir::open(parent);
    if (!dir) return dir.error().kind() == Kind::NotFound ? ok() : Status(dir.error());
    return dir->remove_tree(name);
}

}  // namespace

Status prepare_pod_files(const kube::Pod& pod, const NodeFacts& node) {
    const Paths& paths = node.paths;
    TRY(make_dirs(paths.pods(), kPodMode));
    TRY(make_dirs(paths.pod(pod.meta.uid), kPodMode));
    TRY(make_dirs(paths.log_dir(pod.meta), 0755));
    const Dir dirs = TRY(Dir::make(paths.empty_dirs(pod.meta.uid), kPodMode));
    for (const kube::Volume& volume : pod.spec.volumes) {
        Status made =
            volume.host_path ? check_host_path(*volume.host_path) : make_empty_dir(pod, volume, dirs);
        TRY(std::move(made).under("volume " + volume.name));
    }
    return ok();
}

Status write_hosts_file(const kube::Pod& pod, const NodeFacts& node, const std::vector<std::string>& ips) {
    const auto host =
        pod.spec.host_network ? read_file("/etc/hosts", 1 << 20) : Result<std::string>(std::string());
    const std::string text = hosts_file(pod, node, ips, host.value_or(""));
    const Dir dir = TRY(Dir::open(node.paths.pod(pod.meta.uid)));
    // In place: containers that run have this very file mounted.
    const UniqueFd fd = TRY(dir.open_file("etc-hosts", O_RDWR | O_CREAT, 0644, Resolve::NoSymlinks));
    if (read_all(fd.get(), 1 << 20).value_or("") == text) return ok();
    if (lseek(fd.get(), 0, SEEK_SET) != 0 || ftruncate(fd.get(), 0) != 0)
        return Error::sys("truncate etc-hosts");
    TRY(write_all(fd.get(), text));
    if (fchmod(fd.get(), 0644) != 0) return Error::sys("chmod etc-hosts");
    return ok();
}

Status prepare_message_file(const kube::Pod& pod, const std::string& container, uint32_t restarts,
                            const Paths& paths) {
    const Dir dir = TRY(Dir::make(paths.container(pod.meta.uid, container), kPodMode));
    const UniqueFd fd =
        TRY(dir.open_file(std::to_string(restarts), O_WRONLY | O_CREAT | O_TRUNC, 0666, Resolve::NoSymlinks));
    // Any user of the container may write it.
    if (fchmod(fd.get(), 0666) != 0) return Error::sys("chmod termination message");
    return ok();
}

std::string read_message(const std::string& uid, const std::string& container, uint32_t restarts,
                         const Paths& paths) {
    const auto dir = Dir::open(paths.container(uid, container));
    if (!dir) return {};
    const auto fd = dir->open_file(std::to_string(restarts), O_RDONLY | O_NONBLOCK, 0, Resolve::NoSymlinks);
    if (!fd) return {};
    struct stat st {};
    if (fstat(fd->get(), &st) != 0 || !S_ISREG(st.st_mode)) return {};
    const off_t from = std::max<off_t>(0, st.st_size - static_cast<off_t>(kMessageLimit));
    std::string out(kMessageLimit, '\0');
    const ssize_t n = pread(fd->get(), out.data(), out.size(), from);
    out.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return out;
}

Status remove_pod_files(const kube::ObjectMeta& meta, const Paths& paths) {
    if (const auto dirs = Dir::open(paths.empty_dirs(meta.uid)); dirs) TRY(unmount_below(*dirs));
    TRY(remove_below(paths.pods(), meta.uid));
    return remove_below(paths.logs, Paths::log_name(meta));
}

}  // namespace orlop::agent
