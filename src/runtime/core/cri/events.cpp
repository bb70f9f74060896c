#include "runtime/core/cri/events.h"

#include <spdlog/spdlog.h>

namespace orlop::core {

namespace {

// gRPC's synchronous API tells of a client that left only when asked.
constexpr Nanos kLook = std::chrono::seconds(5);

}  // namespace

Status stream_events(EventBus& bus, grpc::ServerContext& context,
                     grpc::ServerWriter<cri::ContainerEventResponse>& writer) {
    const auto subscription = bus.subscribe();
    if (!subscription) return Error(Kind::Exhausted, "too many clients listen to container events");
    // The client may rely on every event after this.
    writer.SendInitialMetadata();
    while (!context.IsCancelled() && !subscription->closed()) {
        const auto event = subscription->next(kLook);
        if (const uint64_t dropped = subscription->take_dropped(); dropped != 0) {
            spdlog::warn("a client of GetContainerEvents is too slow: {} events dropped", dropped);
        }
        if (event && !writer.Write(**event)) break;
    }
    return ok();
}

}  // namespace orlop::core
