// Opening a store: who may, the lock, and making whole what a crash or power loss left.
#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "base/weak.h"
#include "images/state.h"

namespace orlop::images {

namespace {

mode_t closed() {
    return weakened("closed-directories") ? 0755 : 0700;
}

Result<Dir> open_root(const std::string& path) {
    TRY(make_dirs(std::filesystem::path(path).parent_path(), 0755));
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Error::sys("mkdir " + path);
    Dir root = TRY(Dir::open(path));
    struct stat st {};
    if (fstat(root.fd(), &st) != 0) return Error::sys("stat " + path);
    if (st.st_uid != 0)
        return Error::precondition(path + " belongs to uid " + std::to_string(st.st_uid) +
                                   ", not to root: chown it or use another directory");
    if ((st.st_mode & 022) != 0)
        return Error::precondition(path + " is writable by group or others: chmod it to 0700");
    // Programs with the set-id bit lie in there: others must not reach them (CVE-2021-41103).
    if (fchmod(root.fd(), closed()) != 0) return Error::sys("chmod " + path);
    return root;
}

Result<UniqueFd> take_lock(const Dir& root) {
    UniqueFd fd = TRY(root.open_file("lock", O_RDWR | O_CREAT, 0600, Resolve::NoSymlinks));
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return Error::sys("lock " + root.path());
        const std::string holder = read_all(fd.get(), 64).value_or("?");
        return Error::unavailable("image store " + root.path() + " is in use by process " +
                                  holder.substr(0, holder.find('\n')));
    }
    if (ftruncate(fd.get(), 0) != 0) return Error::sys("truncate lock of " + root.path());
    TRY(write_all(fd.get(), std::to_string(getpid()) + "\n"));
    return fd;
}

Status empty_directory(const Dir& dir) {
    for (const std::string& name : TRY(dir.list())) TRY(dir.remove_tree(name));
    return ok();
}

}  // namespace

Result<std::unique_ptr<StoreState>> StoreState::open(const std::string& path) {
    Dir root = TRY(open_root(path));
    UniqueFd lock = TRY(take_lock(root));
    Dir layers = TRY(root.make_dir("layers", closed()));
    Dir blobs = TRY(TRY(root.make_dir("blobs", 0700)).make_dir("sha256", 0700));
    Dir ingest = TRY(root.make_dir("ingest", 0700));
    if (fsync(root.fd()) != 0) return Error::sys("fsync " + path);
    TRY(empty_directory(ingest));
    Catalog catalog = TRY(Catalog::open(path + "/images.db"));
    std::unique_ptr<StoreState> self(new StoreState(std::move(lock), std::move(root), std::move(layers),
                                                    std::move(blobs), std::move(ingest), std::move(catalog)));
    const std::lock_guard guard(self->mutex_);
    TRY(self->repair().under("repair image store " + path));
    TRY(self->reload());
    return self;
}

// Images whose config or layers are gone cannot be used: they go, so that the next import brings them
// back whole. Directories and blobs that the catalog does not know are from before a crash.
Status StoreState::repair() {
    TRY(catalog_.unpin_prefix(kImportOwner));
    std::set<std::string> known;
    for (const LayerRow& layer : TRY(catalog_.layers())) {
        if (layers_.exists(layer.key))
            known.insert(layer.key);
        else
            TRY(catalog_.drop_layer(layer.key));
    }
    for (const ImageRow& row : TRY(catalog_.images())) {
        const auto image = image_of(row);
        if (image) continue;
        // An error of the disk or of this process says nothing about the image.
        if (image.error().kind() == Kind::Failed) return image.error();
        TRY(catalog_.remove_image(row.id));
    }
    for (const std::string& name : TRY(layers_.list())) {
        if (!known.contains(name)) TRY(layers_.remove_tree(name));
    }
    TRY(collect_blobs());
    return discard(TRY(take_unused()));
}

}  // namespace orlop::images
