// User namespaces and idmapped mounts (config-linux.md "User namespace mappings"; config.md "mounts").
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/dir.h"
#include "oci/harness/oci_test.h"

namespace orlop::it {
namespace {

constexpr unsigned kFirst = 100000;

class Users : public OciTest {
  protected:
    static unsigned owner(const std::string& path) {
        struct stat info = {};
        EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
        return info.st_uid;
    }
    std::string shared(const Bundle& b, unsigned uid) {
        const std::string dir = b.file("shared");
        // The mount point: the root of the namespace may write nothing in a root of the host's.
        EXPECT_EQ(mkdir((b.rootfs + "/shared").c_str(), 0755), 0);
        EXPECT_EQ(mkdir(dir.c_str(), 0777), 0);
        EXPECT_EQ(chown(dir.c_str(), uid, uid), 0);
        return dir;
    }
    static Json one_map(unsigned inside, unsigned outside) {
        return {{{"containerID", inside}, {"hostID", outside}, {"size", 65536}}};
    }
};

TEST_F(Users, TheMapsAreThoseOfTheSpec) {
    Json spec = shell_spec("tr -s ' ' </proc/self/uid_map; tr -s ' ' </proc/self/gid_map; id -u");
    map_users(spec, kFirst);
    EXPECT_EQ(output_of(spec), " 0 100000 65536\n 0 100000 65536\n0");
}

TEST_F(Users, FilesBelongToTheMappedIdsOutside) {
    const Bundle b = bundle();
    const std::string dir = shared(b, kFirst);
    Json spec = shell_spec(
        "touch /shared/root && touch /shared/www && chown 33:33 /shared/www && stat -c %u /shared/root "
        "/shared/www");
    map_users(spec, kFirst);
    add_mount(spec, "bind", dir, "/shared", {"bind", "rw"});
    const Reply reply = run_to_end(b, spec);
    EXPECT_EQ(reply.out, "0\n33\n") << reply.err;
    EXPECT_EQ(owner(dir + "/root"), kFirst);
    EXPECT_EQ(owner(dir + "/www"), kFirst + 33);
}

TEST_F(Users, AnotherUserOfTheNamespaceRuns) {
    Json spec = shell_spec("id -u; id -g; id -G");
    map_users(spec, kFirst);
    spec["process"]["user"] = {{"uid", 1000}, {"gid", 1001}, {"additionalGids", {5, 6}}};
    const std::string seen = output_of(spec);
    EXPECT_TRUE(seen.starts_with("1000\n1001\n")) << seen;
    EXPECT_NE(seen.find("5 6"), std::string::npos) << seen;
}

TEST_F(Users, TheDefaultDevicesWork) {
    Json spec = shell_spec(
        "echo x >/dev/null && head -c3 /dev/zero | wc -c && head -c4 /dev/urandom | wc -c && "
        "test -c /dev/tty && stat -c '%t:%T' /dev/null /dev/full");
    map_users(spec, kFirst);
    EXPECT_EQ(output_of(spec), "3\n4\n1:3\n1:7");
}

TEST_F(Users, AListedDeviceIsBound) {
    ORLOP_OCI_LACKED_BY("runc", "a listed device that is a default one too");
    Json spec = shell_spec("stat -c '%t:%T' /dev/zero && head -c1 /dev/zero | wc -c");
    map_users(spec, kFirst);
    spec["linux"]["devices"] = {
        {{"path", "/dev/zero"}, {"type", "c"}, {"major", 1}, {"minor", 5}, {"fileMode", 0666}}};
    EXPECT_EQ(output_of(spec), "1:5\n1");
}

TEST_F(Users, ExecJoinsTheUserNamespace) {
    Json spec = sleeper_spec();
    map_users(spec, kFirst);
    const Bundle b = launch(spec);
    const Reply reply = exec(b, "readlink /proc/self/ns/user; tr -s ' ' </proc/self/uid_map; id -u");
    EXPECT_EQ(reply.out,
              std::filesystem::read_symlink("/proc/" + std::to_string(pid(b)) + "/ns/user").string() +
                  "\n 0 100000 65536\n0\n")
        << reply.err;
}

TEST_F(Users, MapsWithoutAUserNamespaceAreRefused) {
    Json spec = shell_spec("true");
    spec["linux"]["uidMappings"] = one_map(0, kFirst);
    spec["linux"]["gidMappings"] = one_map(0, kFirst);
    const Bundle b = bundle();
    const Reply reply = run_to_end(b, spec);
    if (reply.code == 0) {
        ORLOP_OCI_LACKED_BY("crun", "the check for maps without a user namespace");
        ORLOP_OCI_LACKED_BY("runc", "the check for maps without a user namespace");
    }
    EXPECT_NE(reply.code, 0);
    expect_nothing_left(b);
}

TEST_F(Users, AnIdmappedBindShowsTheFilesOfOthersAsItsOwn) {
    ORLOP_OCI_LACKED_BY("runc", "idmapped mounts (1.1)");
    const Bundle b = bundle();
    const std::string dir = shared(b, 0);
    Json spec = shell_spec("stat -c %u /shared && touch /shared/made && stat -c %u /shared/made");
    map_users(spec, kFirst);
    add_mount(spec, "bind", dir, "/shared", {"bind", "rw"});
    // The ids on the disk, and what they are in the mount.
    spec["mounts"].back()["uidMappings"] = one_map(0, kFirst);
    spec["mounts"].back()["gidMappings"] = one_map(0, kFirst);
    const Reply reply = run_to_end(b, spec);
    EXPECT_EQ(reply.out, "0\n0\n") << reply.err;
    EXPECT_EQ(owner(dir + "/made"), 0u);
}

TEST_F(Users, AnIdmappedBindWorksWithoutAUserNamespace) {
    ORLOP_OCI_LACKED_BY("runc", "idmapped mounts (1.1)");
    ORLOP_OCI_LACKED_BY("crun", "idmapped mounts without a user namespace (1.8)");
    const Bundle b = bundle();
    const std::string dir = shared(b, 0);
    Json spec = shell_spec("stat -c %u /shared");
    add_mount(spec, "bind", dir, "/shared", {"bind", "rw"});
    spec["mounts"].back()["uidMappings"] = one_map(0, 5000);
    spec["mounts"].back()["gidMappings"] = one_map(0, 5000);
    const Reply reply = run_to_end(b, spec);
    EXPECT_EQ(reply.out, "5000\n") << reply.err;
}

TEST_F(Users, IdmapTakesTheContainersOwnMaps) {
    ORLOP_OCI_LACKED_BY("runc", "idmapped mounts (1.1)");
    for (const char* option : {"idmap", "ridmap"}) {
        if (option == std::string("ridmap") && Runtime::kind() == "crun") continue;
        const Bundle b = bundle();
        const std::string dir = shared(b, 0);
        Json spec = shell_spec("stat -c %u /shared");
        map_users(spec, kFirst);
        add_mount(spec, "bind", dir, "/shared", {"bind", "rw", option});
        const Reply reply = run_to_end(b, spec);
        EXPECT_EQ(reply.out, "0\n") << option << reply.err;
    }
}

TEST_F(Users, ANewNetworkBelongsToTheUserNamespace) {
    Json spec = shell_spec("echo 1 >/proc/sys/net/ipv4/ip_forward; cat /proc/sys/net/ipv4/ip_forward");
    map_users(spec, kFirst);
    set_capabilities(spec, {"CAP_NET_ADMIN"});
    EXPECT_EQ(output_of(spec), "1");
}

}  // namespace
}  // namespace orlop::it
