#include "runtime/core/lifecycle/announcer.h"

#include "runtime/core/cri/views.h"

namespace orlop::core {

void Announcer::announce(cri::ContainerEventType type, const std::string& id, const std::string& sandbox) {
    auto event = std::make_shared<cri::ContainerEventResponse>();
    event->set_container_id(id);
    event->set_container_event_type(type);
    event->set_created_at(clock_.wall().count());
    if (auto record = state_.sandboxes->get(sandbox)) {
        *event->mutable_pod_sandbox_status() = status_of(*record);
    }
    for (const auto& container : state_.containers_of(sandbox)) {
        *event->add_containers_statuses() = status_of(*container);
    }
    bus_.publish(event);
}

void Announcer::announce_deleted(const ContainerRecord& container) {
    announce(cri::CONTAINER_DELETED_EVENT, container.id, container.sandbox);
}

}  // namespace orlop::core
