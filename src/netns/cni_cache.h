// The record of an attachment that DEL needs, in libcni's cacheV1 format so that other tools read it:
// <cache_dir>/results/<network>-<container id>-<ifname>, directory 0700, file 0600.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "netns/cni.h"
#include "netns/cni_args.h"
#include "netns/cni_json.h"

namespace orlop::netns {

struct CachedAttachment {
    std::string container_id, ifname, netns;
    NetworkConfig network;  // as it was at ADD
    CniArgs args;
    Json capability_args = Json::object();
    Json result;  // null: none
};

// The configuration as one conflist.
std::string network_text(const NetworkConfig& network);

std::string encode_cached(const CachedAttachment& attachment);
// `file` is named in the configuration and in errors.
Result<CachedAttachment> decode_cached(const std::string& file, const std::string& text);

class CniCache {
  public:
    explicit CniCache(const std::string& cache_dir) : path_(cache_dir + "/results") {}

    struct Entry {
        std::string file;                     // its name in the directory
        Result<CachedAttachment> attachment;  // an error for what cannot be read
    };
    Status save(const CachedAttachment& attachment) const;
    // Of every network that the container's interface was added to.
    Result<std::vector<Entry>> find(const std::string& container_id, const std::string& ifname) const;
    Status remove(const std::string& file) const;
    // Container ids, sorted, each once. What cannot be read is left out.
    Result<std::vector<std::string>> containers() const;

  private:
    Result<std::vector<std::string>> files() const;
    std::string path_;
};

}  // namespace orlop::netns
