// Attacks by what an image says about users: passwd and group files, USER, set-id bits, file capabilities.
#include <gmock/gmock.h>
#include <linux/capability.h>

#include <chrono>
#include <cstring>

#include "harness/attack_test.h"

namespace orlop::it {
namespace {

class AttacksByUsers : public AttackTest {
  protected:
    // Whether a container of the image ends up as root.
    bool is_root(const ImageSpec& image, const Json& security) {
        Json container = in_image(shell_config("user", "id -u"), image);
        container["linux"]["security_context"].update(security);
        return run_to_end(new_pod("user"), container).out == "0\n";
    }
};

std::string passwd(const std::string& more) {
    return "root:x:0:0:root:/root:/bin/sh\n" + more;
}

// CVE-2024-40635: an id that is 0 once it is cut to 32 bits.
TEST_F(AttacksByUsers, AUidOfTheImageThatOverflows) {
    for (const char* user : {"4294967296", "4294967296:4294967296", "-4294967296"}) {
        SCOPED_TRACE(user);
        ImageSpec image = hostile_image("it-uid", {});
        image.config["User"] = user;
        import(image);
        expect_defended("id-range", [&] { return is_root(image, Json::object()); });
    }
}

TEST_F(AttacksByUsers, AUidOfThePasswdFileThatOverflows) {
    ImageSpec image = hostile_image(
        "it-passwd-uid",
        {{.path = "etc/passwd", .content = passwd("me:x:4294967296:4294967296:me:/:/bin/sh\n")}});
    image.config["User"] = "me";
    import(image);
    expect_defended("id-range", [&] { return is_root(image, Json::object()); });
}

TEST_F(AttacksByUsers, AUidOfTheRequestThatOverflows) {
    const ImageSpec image = busybox_image(place().busybox);
    expect_defended("id-range", [&] { return is_root(image, {{"run_as_user", {{"value", 4294967296}}}}); });
}

// CVE-2025-4437: a passwd file that is read whole takes memory and time without end.
TEST_F(AttacksByUsers, AHugePasswdFile) {
    std::string huge = passwd("");
    while (huge.size() < 24u << 20) huge += "filler:x:1:1:" + std::string(200, 'f') + ":/:/bin/sh\n";
    ImageSpec image = hostile_image("it-huge-passwd", {{.path = "etc/passwd", .content = huge}});
    import(image);
    expect_defended("bounded-passwd", [&] {
        const Footprint before = footprint(node().runtime().pid());
        const auto start = std::chrono::steady_clock::now();
        const Outcome outcome = run_to_end(new_pod("huge"), in_image(shell_config("huge", "exit 0"), image));
        EXPECT_LT(std::chrono::steady_clock::now() - start, scaled(30));
        const long grown = footprint(node().runtime().pid()).rss_kib - before.rss_kib;
        EXPECT_LT(grown, 8 << 10) << "the daemon has nothing to do with it";
        return outcome.started;
    });
}

// The same without an end: the container's /dev is there when its passwd file is read.
TEST_F(AttacksByUsers, APasswdFileThatIsADevice) {
    ImageSpec image = hostile_image("it-zero-passwd", {{.path = "etc/group", .link = "/dev/zero"},
                                                       {.path = "etc/passwd", .link = "/dev/zero"}});
    import(image);
    expect_defended("bounded-passwd", [&] {
        return !run_to_end(new_pod("zero"), in_image(shell_config("zero", "exit 0"), image)).started;
    });
}

// An exec looks the user up again: what the container has made of its passwd file meanwhile counts.
TEST_F(AttacksByUsers, APasswdFileThatGrowsBeforeAnExec) {
    expect_defended("bounded-passwd", [&] {
        const Json pod = new_pod("grown");
        const std::string pod_id = crictl().runp(pod);
        const std::string id =
            crictl().launch(pod_id,
                            shell_config("grown",
                                         "yes filler:x:1:1::/:/bin/sh | dd of=/etc/passwd bs=1M count=16 "
                                         "iflag=fullblock; exec sleep 1000"),
                            pod);
        const bool grown = eventually(scaled(30), [&] {
            return crictl().run({"exec", "-s", id, "/bin/true"}).ok() == false ||
                   crictl().run({"exec", "-s", id, "/bin/pidof", "sleep"}).ok();
        });
        EXPECT_TRUE(grown);
        const bool runs = crictl().run({"exec", "-s", id, "/bin/true"}).ok();
        crictl().must({"rmp", "-f", pod_id});
        return runs;
    });
}

// CVE-2022-2995: a file that everybody but one group may read. A process of that group loses it by way of a
// set-group-id program, unless the group is among the supplementary ones, too.
TEST_F(AttacksByUsers, APrimaryGroupThatIsGivenUp) {
    ImageSpec image = hostile_image("it-setgid", {attacker_file("other-group", 02755),
                                                  {.path = "secret", .content = "not for group 33\n"}});
    image.layers.back()[0].gid = 65534;
    image.layers.back()[1].gid = 33;
    image.layers.back()[1].mode = 0604;
    import(image);
    expect_defended("primary-group", [&] {
        Json container = in_image(command_config("setgid", {"/other-group", "show", "/secret"}), image);
        container["linux"]["security_context"]["run_as_user"] = {{"value", 1000}};
        container["linux"]["security_context"]["run_as_group"] = {{"value", 33}};
        return run_to_end(new_pod("setgid"), container).out == "not for group 33\n";
    });
}

// CVE-2023-25173, and why there is a policy: the image's group file adds the user to a group that the pod
// never named.
TEST_F(AttacksByUsers, AGroupFileThatAddsGroupsUnderTheStrictPolicy) {
    ImageSpec image =
        hostile_image("it-groups", {{.path = "etc/passwd", .content = passwd("me:x:1000:1000::/:/bin/sh\n")},
                                    {.path = "etc/group", .content = "disk:x:6:me\n"}});
    import(image);
    expect_defended("strict-groups", [&] {
        Json container = in_image(shell_config("groups", "id -G"), image);
        container["linux"]["security_context"]["run_as_user"] = {{"value", 1000}};
        container["linux"]["security_context"]["supplemental_groups_policy"] = 1;
        const Outcome outcome = run_to_end(new_pod("groups"), container);
        return (" " + outcome.out).find(" 6") != std::string::npos;
    });
}

// CVE-2022-29162: a capability that is inheritable comes back by a program that has it as inheritable, too.
TEST_F(AttacksByUsers, AnInheritableCapabilityOfAFile) {
    const vfs_cap_data capability = {VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
                                     {{0, 1u << CAP_NET_RAW}, {0, 0}}};
    ImageFile program = {.path = "tool/cat", .content = "", .mode = 0755};
    for (const ImageFile& file : busybox_layer(place().busybox)) {
        if (file.path == "bin/busybox") program.content = file.content;
    }
    program.capability.assign(reinterpret_cast<const char*>(&capability), XATTR_CAPS_SZ_2);
    const ImageSpec image =
        hostile_image("it-inheritable", {{.path = "tool", .mode = 0755, .directory = true}, program});
    import(image);
    expect_defended("inheritable", [&] {
        Json container = in_image(command_config("caps", {"/tool/cat", "/proc/self/status"}), image);
        container["linux"]["security_context"]["run_as_user"] = {{"value", 1000}};
        const Outcome outcome = run_to_end(new_pod("caps"), container);
        EXPECT_TRUE(outcome.started) << outcome.refusal;
        return outcome.out.find("CapEff:\t0000000000002000") != std::string::npos;
    });
}

}  // namespace
}  // namespace orlop::it
