// Records as the CRI shows them: pure translations, the filters of the lists included.
#pragma once

#include <google/protobuf/map.h>

#include <string>
#include <vector>

#include "cri/api.pb.h"
#include "images/store.h"
#include "runtime/core/state/records.h"

namespace orlop::core {

using Labels = google::protobuf::Map<std::string, std::string>;

cri::PodSandboxState state_of(const SandboxRecord& record);
cri::ContainerState state_of(const ContainerRecord& record);

cri::PodSandboxStatus status_of(const SandboxRecord& record);
cri::PodSandbox item_of(const SandboxRecord& record);
cri::ContainerStatus status_of(const ContainerRecord& record);
cri::Container item_of(const ContainerRecord& record);
cri::Image item_of(const images::Image& image);

// All given fields have to match; ids may be abbreviated.
bool matches(const cri::PodSandboxFilter& filter, const SandboxRecord& record);
bool matches(const cri::ContainerFilter& filter, const ContainerRecord& record);

// The CRI's own signal numbers (Signal enum) for a kernel signal; SIGNAL_RUNTIME_DEFAULT for one it does not
// name.
cri::Signal cri_signal(int kernel_signal);

// A digested name of the image if it has one, else its id.
std::string image_ref_of(const images::Image& image);

// A message as JSON with the names of the proto file, as the verbose `info` shows it.
std::string message_json(const google::protobuf::Message& message);

}  // namespace orlop::core
