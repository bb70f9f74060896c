// GetContainerEvents.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/sync_stream.h>

#include "base/result.h"
#include "runtime/core/lifecycle/events.h"

namespace orlop::core {

// Until the client leaves or the daemon ends.
Status stream_events(EventBus& bus, grpc::ServerContext& context,
                     grpc::ServerWriter<cri::ContainerEventResponse>& writer);

}  // namespace orlop::core
