// Writes entries of a layer into a directory in overlayfs's lower format
// (Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories").
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/dir.h"
#include "images/archive.h"
#include "images/layer_entry.h"

namespace orlop::images {

// The directory must be private to us while it is written (mode 0700 somewhere above): what is resolved is
// resolved beneath it and never through a symbolic link, by fds.
class LayerWriter {
  public:
    // `lowers`: directories of the layers below, highest first. A directory that the tar does not have but
    // needs (of "a/b" it has no "a/") takes its attributes from there, or becomes 0755 root.
    LayerWriter(const Dir& root, const std::vector<std::string>& lowers) : root_(root), lowers_(lowers) {}

    // `data` stands at the entry.
    Status apply(const LayerEntry& entry, ArchiveReader& data);
    // The times of directories; nothing may be written after it.
    Status finish();

    // Whether some directory was made that the tar did not name before.
    bool implied_parents() const { return implied_parents_; }
    // Of these directories, those whose attributes come from the layers below, if they have them.
    std::vector<std::string> from_below() const { return {from_below_.begin(), from_below_.end()}; }
    // The root itself is opaque: nothing below this layer shows. overlayfs ignores the attribute there.
    bool root_opaque() const { return root_opaque_; }

  private:
    struct Place {
        UniqueFd parent;  // O_PATH
        std::string name;
    };
    Result<Place> place_of(const std::string& path);
    Result<UniqueFd> open_parent(const std::string& path);
    Result<UniqueFd> imply_directory(int parent, const std::string& name, const std::string& path);
    Status copy_from_lower(int fd, const std::string& path);

    Status dispatch(const LayerEntry& entry, ArchiveReader& data);
    Status apply_directory(const LayerEntry& entry);
    Status apply_whiteout(const LayerEntry& entry);
    Status apply_opaque(const LayerEntry& entry);
    Status apply_file(const LayerEntry& entry, ArchiveReader& data);
    Status apply_hard_link(const LayerEntry& entry);
    Status apply_node(const LayerEntry& entry);

    const Dir& root_;
    std::vector<std::string> lowers_;
    // The epoch for what the tar does not name, so that equal tars give equal trees.
    std::map<std::string, timespec> directory_times_{{"", {}}};
    std::set<std::string> from_below_;
    bool implied_parents_ = false;
    bool root_opaque_ = false;
};

// Gives directories of a finished layer the attributes and times that they have in the layers below
// (directories, highest first); what is not there, or no directory in `layer`, stays as it is.
Status adopt_parents(const Dir& layer, const std::vector<std::string>& lowers,
                     const std::vector<std::string>& paths);

}  // namespace orlop::images
