#include "oci/harness/oci_test.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/dir.h"
#include "harness/mount_table.h"

namespace orlop::it {
namespace {

namespace fs = std::filesystem;

// The pattern that bundles are linked from; made once a run.
const std::string& pattern_rootfs() {
    static const std::string made = [] {
        const std::string dir = run_dir() + "/pattern";
        const Reply reply = run({std::string(ORLOP_IT_SOURCE_DIR) + "/scripts/busybox-rootfs", dir},
                                {"BUSYBOX=" + place().busybox});
        EXPECT_TRUE(reply.ok()) << reply.err;
        return dir;
    }();
    return made;
}

void link_tree(const fs::path& from, const fs::path& to) {
    fs::create_directory(to, from);
    for (const auto& entry : fs::directory_iterator(from)) {
        const fs::path target = to / entry.path().filename();
        if (entry.is_symlink())
            fs::copy_symlink(entry.path(), target);
        else if (entry.is_directory())
            link_tree(entry.path(), target);
        else if (entry.file_size() > 65536)
            fs::create_hard_link(entry.path(), target);
        else
            fs::copy_file(entry.path(), target);
    }
}

int next_number() {
    static int number = 0;
    return ++number;
}

}  // namespace

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
}

bool file_shows(const std::string& path, const std::string& text) {
    const auto content = read_file(path);
    return content && content->find(text) != std::string::npos;
}

void write_text(const std::string& path, const std::string& text, unsigned mode) {
    std::ofstream(path) << text;
    ASSERT_EQ(chmod(path.c_str(), mode), 0) << path;
}

void OciTest::SetUp() {
    ORLOP_IT_NEEDS(Need::Root, Need::Cgroups, Need::Busybox);
    ASSERT_EQ(access(place().oci.c_str(), X_OK), 0) << place().oci << " is not there: build it";
    ASSERT_TRUE(make_dirs(run_dir()));
    // Roots of user namespaces go through these.
    for (const std::string& dir : {place().base_dir, run_dir()}) ASSERT_EQ(chmod(dir.c_str(), 0711), 0);
    ASSERT_TRUE(make_dirs(state_dir() + "/root", 0700));
    runtime_ = Runtime(state_dir() + "/root", runtime_.driver());
    started_ = true;
}

void OciTest::TearDown() {
    if (!started_) return;
    for (const std::string& id : ids_) {
        if (fs::exists(runtime_.root() + "/" + id)) (void)oci({"delete", "--force", id});
    }
    EXPECT_EQ(leftovers_.find(), "") << "left behind";
    for (const std::string& id : ids_) fs::remove_all(run_dir() + "/" + id);
}

Leftovers& OciTest::whole_run() {
    static Leftovers all;
    return all;
}

Bundle OciTest::bundle() {
    Bundle made;
    made.id = run_mark() + "-" + std::to_string(next_number());
    made.dir = run_dir() + "/" + made.id;
    made.rootfs = made.dir + "/rootfs";
    fs::create_directory(made.dir);
    link_tree(pattern_rootfs(), made.rootfs);
    ids_.push_back(made.id);
    return made;
}

std::string OciTest::cgroups_path(const std::string& id) const {
    return runtime_.driver() == Driver::Systemd ? "system.slice:oci:" + id : "/orlopocitest/" + id;
}

void OciTest::write_config(const Bundle& bundle, Json spec) const {
    if (!spec["linux"].contains("cgroupsPath")) spec["linux"]["cgroupsPath"] = cgroups_path(bundle.id);
    write_text(bundle.file("config.json"), spec.dump(2));
}

Reply OciTest::run_to_end(const Bundle& bundle, Json spec, const std::vector<std::string>& flags) {
    write_config(bundle, std::move(spec));
    std::vector<std::string> args{"run", "--bundle", bundle.dir};
    args.insert(args.end(), flags.begin(), flags.end());
    args.push_back(bundle.id);
    return oci(args);
}

Reply OciTest::run_to_end(Json spec, const std::vector<std::string>& flags) {
    return run_to_end(bundle(), std::move(spec), flags);
}

std::string OciTest::output_of(Json spec) {
    const Reply reply = run_to_end(std::move(spec));
    EXPECT_EQ(reply.code, 0) << reply.err << reply.out;
    return trimmed(reply.out);
}

Reply OciTest::create(const Bundle& bundle, Json spec, const std::vector<std::string>& flags) {
    write_config(bundle, std::move(spec));
    std::vector<std::string> args{"create", "--bundle", bundle.dir};
    args.insert(args.end(), flags.begin(), flags.end());
    args.push_back(bundle.id);
    return runtime_.call_logged(args, bundle.log());
}

Bundle OciTest::launch(Json spec, const std::vector<std::string>& flags) {
    Bundle made = bundle();
    const Reply created = create(made, std::move(spec), flags);
    EXPECT_EQ(created.code, 0) << created.err;
    const Reply started = oci({"start", made.id});
    EXPECT_EQ(started.code, 0) << started.err;
    return made;
}

Reply OciTest::exec(const Bundle& bundle, const std::string& script, const std::vector<std::string>& flags) {
    std::vector<std::string> args{"exec"};
    args.insert(args.end(), flags.begin(), flags.end());
    args.insert(args.end(), {bundle.id, "/bin/sh", "-c", script});
    return oci(args);
}

Json OciTest::state(const Bundle& bundle) {
    const Reply reply = oci({"state", bundle.id});
    return reply.ok() ? Json::parse(reply.out, nullptr, false) : Json();
}

std::string OciTest::status(const Bundle& bundle) {
    const Json found = state(bundle);
    return found.is_object() ? found.value("status", "") : "";
}

bool OciTest::becomes(const Bundle& bundle, const std::string& wanted) {
    return eventually(scaled(10), [&] { return status(bundle) == wanted; });
}

pid_t OciTest::pid(const Bundle& bundle) {
    const Json found = state(bundle);
    return found.is_object() ? found.value("pid", 0) : 0;
}

bool OciTest::log_shows(const Bundle& bundle, const std::string& text) {
    return eventually(scaled(10), [&] { return file_shows(bundle.log(), text); });
}

std::string OciTest::cgroup_file(const Bundle& bundle, const std::string& v1, const std::string& v2) {
    const size_t slash = v1.find('/');
    const auto value = cgroup_value(pid(bundle), v1.substr(0, slash), v1.substr(slash + 1), v2);
    EXPECT_TRUE(value) << (value ? "" : value.error().what());
    return value ? *value : "";
}

void OciTest::expect_nothing_left(const Bundle& bundle) {
    EXPECT_FALSE(fs::exists(runtime_.root() + "/" + bundle.id)) << "the state directory stays";
    EXPECT_NE(oci({"state", bundle.id}).code, 0);
    EXPECT_EQ(leftovers_.find(), "") << "left behind";
}

}  // namespace orlop::it
