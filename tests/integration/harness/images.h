// Images made on the spot from the static busybox: docker-archives, as `docker save` writes them.
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace orlop::it {

struct ImageFile {
    std::string path;     // relative, without a leading slash
    std::string content;  // of a regular file
    std::string link;     // not empty: a symlink to it
    mode_t mode = 0644;
    bool directory = false;
    gid_t gid = 0;
    std::string capability;  // not empty: the extended attribute security.capability
    std::string hard_link;   // not empty: a hard link to that path
};
using Layer = std::vector<ImageFile>;

struct ImageSpec {
    std::string name;  // with registry and tag
    std::vector<Layer> layers;
    nlohmann::json config;  // the "config" object of the image: Env, Entrypoint, Cmd, WorkingDir, User
};

// /bin with busybox and its applets, /etc/passwd, /etc/group, /tmp and the mount points.
Layer busybox_layer(const std::string& busybox_path);
// The image that most tests run: PATH=/bin and no entrypoint.
ImageSpec busybox_image(const std::string& busybox_path);

// The archive's bytes.
Result<std::string> docker_archive(const ImageSpec& image);
// The layer as a directory tree below `dir`, which has to exist.
Status write_tree(const Layer& layer, const std::string& dir);

inline constexpr const char* kBusyboxImage = "docker.io/library/it-busybox:1";

}  // namespace orlop::it
