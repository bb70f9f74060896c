// linux.devices, the default nodes and links, and what the device controller lets through.
#include "oci/harness/oci_test.h"

namespace orlop::it {
namespace {

class Devices : public OciDriverTest {
  protected:
    static Json node(const char* path, const char* type, int major, int minor) {
        return {{"path", path}, {"type", type}, {"major", major}, {"minor", minor}};
    }
    static Json rule(bool allow, const char* type, int major, int minor, const char* access) {
        return {{"allow", allow}, {"type", type}, {"major", major}, {"minor", minor}, {"access", access}};
    }
    static Json deny_all() { return {{"allow", false}, {"access", "rwm"}}; }
};

TEST_P(Devices, TheDefaultNodesAreThere) {
    EXPECT_EQ(output_of(shell_spec("cd /dev; stat -c '%n %F %t:%T %a' null zero full random urandom tty")),
              "null character special file 1:3 666\nzero character special file 1:5 666\n"
              "full character special file 1:7 666\nrandom character special file 1:8 666\n"
              "urandom character special file 1:9 666\ntty character special file 5:0 666");
}

TEST_P(Devices, TheDefaultLinksAreThere) {
    EXPECT_EQ(output_of(shell_spec("cd /dev; for l in fd stdin stdout stderr ptmx; do readlink $l; done")),
              "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx");
}

TEST_P(Devices, ListedNodesAreMadeAsTheySay) {
    Json spec = shell_spec(
        "stat -c '%F %t:%T %a %u:%g' /dev/own/memory /dev/fifo /dev/blk; cat /dev/own/memory | head -c 2 | "
        "wc -c");
    Json own = node("/dev/own/memory", "c", 1, 5);
    own.update({{"fileMode", 0640}, {"uid", 33}, {"gid", 34}});
    Json fifo = {{"path", "/dev/fifo"}, {"type", "p"}, {"fileMode", 0600}};
    Json block = node("/dev/blk", "b", 7, 0);
    block["fileMode"] = 0600;
    spec["linux"]["devices"] = {own, fifo, block};
    spec["linux"]["resources"]["devices"] = {deny_all(), rule(true, "c", 1, 5, "rwm")};
    EXPECT_EQ(output_of(spec),
              "character special file 1:5 640 33:34\nfifo 0:0 600 0:0\n"
              "block special file 7:0 600 0:0\n2");
}

TEST_P(Devices, DeniedDevicesCannotBeOpened) {
    Json spec = shell_spec(
        "mknod /tmp/k c 1 11 && cat /tmp/k 2>&1 >/dev/null | grep -c 'not permitted'; head -c1 /dev/zero | "
        "wc -c");
    spec["linux"]["resources"]["devices"] = {deny_all()};
    EXPECT_EQ(output_of(spec), "1\n1");
}

TEST_P(Devices, AllowedDevicesCanBeOpenedAsAllowed) {
    Json spec =
        shell_spec("mknod /tmp/k c 1 11; (: </tmp/k) 2>/dev/null; echo $?; (: >/tmp/k) 2>/dev/null; echo $?");
    set_capabilities(spec, {"CAP_MKNOD", "CAP_SYSLOG", "CAP_DAC_OVERRIDE"});
    spec["linux"]["resources"]["devices"] = {deny_all(), rule(true, "c", 1, 11, "rm")};
    EXPECT_EQ(output_of(spec), "0\n1");
}

TEST_P(Devices, MakingANodeThatIsNotAllowedIsRefused) {
    Json spec = shell_spec("mknod /tmp/l b 7 1 2>/dev/null; echo $?; mknod /tmp/z c 1 5; echo $?");
    spec["linux"]["resources"]["devices"] = {deny_all(), rule(true, "c", 1, 5, "rwm")};
    const std::string seen = output_of(spec);
    // The specification lets runtimes add "c *:* m" and "b *:* m": then making is allowed and opening not.
    EXPECT_TRUE(seen == "1\n0" || seen == "0\n0") << seen;
}

TEST_P(Devices, AWildcardMinorCoversTheMajor) {
    Json spec = shell_spec("mknod /tmp/k c 1 11 && (: </tmp/k) && echo opened");
    Json any = {{"allow", true}, {"type", "c"}, {"major", 1}, {"access", "rwm"}};
    spec["linux"]["resources"]["devices"] = {deny_all(), any};
    set_capabilities(spec, {"CAP_MKNOD", "CAP_SYSLOG", "CAP_DAC_OVERRIDE"});
    EXPECT_EQ(output_of(spec), "opened");
}

TEST_P(Devices, ALaterRuleTakesBackWhatAnEarlierOneGave) {
    Json spec = shell_spec("mknod /tmp/k c 1 11; (: </tmp/k) 2>/dev/null; echo $?");
    Json any = {{"allow", true}, {"type", "c"}, {"major", 1}, {"access", "rwm"}};
    spec["linux"]["resources"]["devices"] = {deny_all(), rule(true, "c", 1, 11, "rwm"),
                                             rule(false, "c", 1, 11, "rwm")};
    set_capabilities(spec, {"CAP_MKNOD", "CAP_SYSLOG", "CAP_DAC_OVERRIDE"});
    EXPECT_EQ(output_of(spec), "1");
}

TEST_P(Devices, EveryDeviceIsAllowedToThePrivileged) {
    Json spec = shell_spec("mknod /tmp/l b 7 1 && mknod /tmp/k c 1 11 && (: </tmp/k) && echo opened");
    spec["linux"]["resources"]["devices"] = {{{"allow", true}, {"access", "rwm"}}};
    set_capabilities(spec, {"CAP_MKNOD", "CAP_SYSLOG", "CAP_DAC_OVERRIDE"});
    EXPECT_EQ(output_of(spec), "opened");
}

ORLOP_OCI_EVERY_DRIVER(Devices);

}  // namespace
}  // namespace orlop::it
