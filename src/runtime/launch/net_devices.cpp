#include "runtime/launch/net_devices.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <functional>

#include "base/unique_fd.h"
#include "runtime/launch/clone.h"

namespace orlop::launch {

namespace {

// One request of rtnetlink(7): the header, its fixed part, attributes.
class Request {
  public:
    template <class Body>
    Request(uint16_t type, uint16_t flags, const Body& body) {
        nlmsghdr header{};
        header.nlmsg_type = type;
        header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
        put(&header, sizeof header);
        put(&body, sizeof body);
    }
    void attribute(uint16_t type, const void* data, size_t size) {
        const rtattr attr{static_cast<unsigned short>(RTA_LENGTH(size)), type};
        put(&attr, sizeof attr);
        put(data, size);
    }
    std::string finish() {
        const auto size = static_cast<uint32_t>(bytes_.size());
        std::memcpy(bytes_.data(), &size, sizeof size);
        return bytes_;
    }

  private:
    void put(const void* data, size_t size) {
        bytes_.append(static_cast<const char*>(data), size);
        bytes_.resize(NLMSG_ALIGN(bytes_.size()));
    }
    std::string bytes_;
};

using OnReply = std::function<void(const nlmsghdr&)>;

// In the network namespace where it was made.
class Netlink {
  public:
    static Result<Netlink> open() {
        UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
        if (!fd) return Error::sys("open a netlink socket");
        return Netlink(std::move(fd));
    }
    Status call(Request request, const OnReply& on_reply = {}) const {
        const std::string bytes = request.finish();
        if (send(fd_.get(), bytes.data(), bytes.size(), 0) < 0) return Error::sys("netlink request");
        alignas(nlmsghdr) std::array<char, 32768> buffer;
        for (;;) {
            const ssize_t n = recv(fd_.get(), buffer.data(), buffer.size(), 0);
            if (n < 0) return Error::sys("netlink answer");
            auto left = static_cast<unsigned>(n);
            for (auto* h = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(h, left);
                 h = NLMSG_NEXT(h, left)) {
                if (h->nlmsg_type == NLMSG_DONE) return ok();
                if (h->nlmsg_type == NLMSG_ERROR) {
                    const int error = static_cast<const nlmsgerr*>(NLMSG_DATA(h))->error;
                    return error == 0 ? ok() : Status(Error::sys("netlink", -error));
                }
                if (on_reply) on_reply(*h);
            }
        }
    }

  private:
    explicit Netlink(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

struct Address {
    ifaddrmsg head{};
    std::vector<std::pair<uint16_t, std::string>> attributes;
};

Result<std::vector<Address>> addresses_of(const Netlink& netlink, unsigned index) {
    std::vector<Address> out;
    const auto take = [&](const nlmsghdr& h) {
        if (h.nlmsg_type != RTM_NEWADDR) return;
        const auto* head = static_cast<const ifaddrmsg*>(NLMSG_DATA(&h));
        // fe80:: and the like come by themselves.
        if (head->ifa_index != index || head->ifa_scope == RT_SCOPE_LINK ||
            (head->ifa_flags & IFA_F_PERMANENT) == 0)
            return;
        Address address{.head = *head, .attributes = {}};
        auto left = static_cast<unsigned>(IFA_PAYLOAD(&h));
        for (const rtattr* a = IFA_RTA(head); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
            if (a->rta_type == IFA_LOCAL || a->rta_type == IFA_ADDRESS || a->rta_type == IFA_BROADCAST) {
                address.attributes.emplace_back(
                    a->rta_type, std::string(static_cast<const char*>(RTA_DATA(a)), RTA_PAYLOAD(a)));
            }
        }
        out.push_back(std::move(address));
    };
    TRY(netlink.call(Request(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{}), take).under("list addresses"));
    return out;
}

Status move_link(const Netlink& netlink, unsigned index, const std::string& name, int target) {
    ifinfomsg head{};
    head.ifi_index = static_cast<int>(index);
    Request request(RTM_NEWLINK, NLM_F_ACK, head);
    request.attribute(IFLA_NET_NS_FD, &target, sizeof target);
    request.attribute(IFLA_IFNAME, name.c_str(), name.size() + 1);
    return netlink.call(std::move(request)).under("move it");
}

// In the target namespace.
Status bring_up(const std::string& name, const std::vector<Address>& addresses) {
    const Netlink netlink = TRY(Netlink::open());
    const unsigned index = if_nametoindex(name.c_str());
    if (index == 0) return Error::sys("find it as " + name);
    for (const Address& address : addresses) {
        ifaddrmsg head = address.head;
        head.ifa_index = index;
        Request request(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, head);
        for (const auto& [type, value] : address.attributes)
            request.attribute(type, value.data(), value.size());
        TRY(netlink.call(std::move(request)).under("give it its address"));
    }
    ifinfomsg up{};
    up.ifi_index = static_cast<int>(index);
    up.ifi_flags = IFF_UP;
    up.ifi_change = IFF_UP;
    return netlink.call(Request(RTM_NEWLINK, NLM_F_ACK, up)).under("set it up");
}

Status move_one(const NetDevice& device, int target, int own) {
    const unsigned index = if_nametoindex(device.host_name.c_str());
    if (index == 0) return Error::sys("the host has no such device");
    const std::string& name = device.container_name.empty() ? device.host_name : device.container_name;
    const Netlink netlink = TRY(Netlink::open());
    const std::vector<Address> addresses = TRY(addresses_of(netlink, index));
    TRY(move_link(netlink, index, name, target));
    TRY(join_namespace({target, CLONE_NEWNET, "the container's network namespace"}));
    Status done = bring_up(name, addresses);
    TRY(join_namespace({own, CLONE_NEWNET, "our own network namespace"}));
    return done;
}

}  // namespace

Status move_net_devices(const std::vector<NetDevice>& devices, const Namespace& net, pid_t pid) {
    if (devices.empty()) return ok();
    const std::string path = net.from == NsFrom::Path ? net.path : "/proc/" + std::to_string(pid) + "/ns/net";
    UniqueFd target(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    UniqueFd own(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!target || !own) return Error::sys("open network namespace " + path);
    for (const NetDevice& device : devices)
        TRY(move_one(device, target.get(), own.get()).under("network device " + device.host_name));
    return ok();
}

}  // namespace orlop::launch
