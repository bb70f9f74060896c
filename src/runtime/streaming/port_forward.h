// A port-forward with its client: pairs of channels, one for the data of one connection into the pod and one
// for what went wrong with it. SPDY clients open pairs as they need them; WebSocket clients name their ports
// in the query and get pair n as the channels 2n and 2n+1, each of which begins with the port (16 bits,
// little endian).
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/streaming/pump.h"
#include "runtime/streaming/serving.h"

namespace orlop::streaming {

class PortForward final : public LinkUser, public std::enable_shared_from_this<PortForward> {
  public:
    // `ports`: of a WebSocket; empty for SPDY.
    PortForward(Serving& serving, std::string sandbox, std::vector<uint16_t> ports,
                std::shared_ptr<Link> link);
    void start();

    bool opened(Channel channel, const std::map<std::string, std::string>& headers) override;
    void received(Channel channel, std::string_view bytes) override;
    void finished(Channel channel, bool both_ways) override;
    void room_again() override;
    void gone() override;

  private:
    struct Pair {
        explicit Pair(asio::any_io_executor executor) : timer(executor) {}
        std::string id;
        uint16_t port = 0;
        std::optional<Channel> data, error;
        asio::steady_timer timer;  // until both are there
        std::string early_input;   // before the connection stands
        bool input_finished = false, over = false;
        std::shared_ptr<InPump> in;
        std::shared_ptr<OutPump> out;
    };
    using PairPtr = std::shared_ptr<Pair>;

    PairPtr pair_with_id(const std::string& id);
    void wait_for_other(const PairPtr& pair);
    void dial(const PairPtr& pair);
    void connected(const PairPtr& pair, Result<UniqueFd> socket);
    void one_way_over(const PairPtr& pair);
    void end(const PairPtr& pair, const std::string& error);
    void stop(Pair& pair);

    Serving& serving_;
    const std::string sandbox_;
    const std::vector<uint16_t> ports_;
    std::shared_ptr<Link> link_;
    std::map<Channel, PairPtr> pairs_;           // by both channels
    std::map<std::string, PairPtr> incomplete_;  // by request id
    bool gone_ = false;
};

}  // namespace orlop::streaming
