#include "runtime/core/server.h"

#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <sys/stat.h>

#include "base/weak.h"

namespace orlop::core {

Result<std::unique_ptr<grpc::Server>> start_server(const std::string& socket,
                                                   const std::vector<grpc::Service*>& services) {
    grpc::ResourceQuota quota("orlop-runtime");
    quota.SetMaxThreads(kMaxThreads);
    grpc::ServerBuilder builder;
    builder.SetResourceQuota(quota);
    builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 2);
    builder.SetMaxReceiveMessageSize(kMaxMessage);
    builder.SetMaxSendMessageSize(kMaxMessage);
    builder.AddListeningPort("unix://" + socket, grpc::InsecureServerCredentials());
    for (grpc::Service* service : services) builder.RegisterService(service);
    // From the first moment on nobody else may connect; the group gets its right afterwards.
    const mode_t mask = umask(weakened("socket-mode") ? 0111 : 0177);
    std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    umask(mask);
    if (!server) return Error::failed("cannot listen on " + socket);
    if (chmod(socket.c_str(), weakened("socket-mode") ? 0666 : 0660) != 0)
        return Error::sys("chmod " + socket);
    return server;
}

}  // namespace orlop::core
