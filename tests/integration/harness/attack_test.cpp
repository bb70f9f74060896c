#include "harness/attack_test.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/dir.h"
#include "base/strong.h"

namespace orlop::it {

namespace fs = std::filesystem;

std::string built_with_the_tests(const std::string& name) {
    return fs::read_symlink("/proc/self/exe").parent_path() / name;
}

ImageFile attacker_file(const std::string& path, mode_t mode) {
    const auto program = read_file(built_with_the_tests("orlop-attacker"), 64u << 20);
    EXPECT_TRUE(program) << "orlop-attacker is not there: build it";
    return {.path = path, .content = program ? *program : "", .mode = mode};
}

void AttackTest::SetUp() {
    ORLOP_IT_NEEDS(Need::Orlop);
    NodeTest::SetUp();
}

void AttackTest::TearDown() {
    if (IsSkipped()) return;
    NodeTest::TearDown();
    for (const std::string& image : images_) crictl().must({"rmi", image});
}

void AttackTest::restart_as(const std::vector<std::string>& program) {
    crictl().remove_all();
    const auto stopped = node().stop();
    ASSERT_TRUE(stopped) << stopped.error().what();
    node().use_program(program);
    const Status started = node().start();
    ASSERT_TRUE(started) << started.error().what();
}

std::vector<std::string> AttackTest::weak_program(const std::string& defences) {
    const std::string daemon = built_with_the_tests("orlop-runtime-weak");
    const std::string shim = built_with_the_tests("orlop-shim-weak");
    for (const std::string& program : {daemon, shim})
        EXPECT_EQ(access(program.c_str(), X_OK), 0) << program << " is not there: build it";
    // The daemon starts shims with an environment of its own.
    const std::string wrapped = node().paths().run + "/weak-shim";
    const std::string script = "#!/bin/sh\nORLOP_WEAKEN='" + defences + "' exec '" + shim + "' \"$@\"\n";
    EXPECT_TRUE(Dir::open(node().paths().run)->write_atomic("weak-shim", script, 0700));
    return {"/usr/bin/env", "ORLOP_WEAKEN=" + defences, daemon, "--shim", wrapped};
}

void AttackTest::expect_defended(const std::string& defences, const Attack& attack) {
    EXPECT_FALSE(attack()) << "the attack succeeds";
    restart_as(weak_program(defences));
    if (HasFatalFailure()) return;
    EXPECT_TRUE(attack()) << "without " << defences << " the attack fails too: the test sees nothing";
    restart_as({});
}

Json AttackTest::new_pod(const std::string& name) {
    return pod_config(node(), name + "-" + random_uuid().substr(0, 8));
}

Json AttackTest::in_image(Json container, const ImageSpec& image) {
    container["image"] = {{"image", image.name}, {"user_specified_image", image.name}};
    return container;
}

ImageSpec AttackTest::hostile_image(const std::string& name, const Layer& more) {
    ImageSpec image = busybox_image(place().busybox);
    image.name = "docker.io/library/" + name + ":1";
    image.layers.push_back(more);
    return image;
}

void AttackTest::import(const ImageSpec& image) {
    const Status imported = node().import(image);
    ASSERT_TRUE(imported) << imported.error().what();
    images_.insert(image.name);
}

Outcome AttackTest::run_to_end(const Json& pod, const Json& container) {
    Outcome outcome;
    const auto next = [&](const std::vector<std::string>& args) {
        Reply reply = crictl().run(args);
        if (!reply.ok()) outcome.refusal = reply.err + reply.out;
        if (reply.out.ends_with('\n')) reply.out.pop_back();
        return reply.ok() ? reply.out : "";
    };
    const std::string pod_file = crictl().write("attack-pod.json", pod);
    const std::string pod_id = next({"runp", pod_file});
    if (!pod_id.empty()) {
        const std::string id = next({"create", pod_id, crictl().write("attack.json", container), pod_file});
        if (!id.empty() && crictl().run({"start", id}).ok()) {
            outcome.started = true;
            outcome.code = crictl().wait_exit(id).value("exitCode", -1);
            const Reply logs = crictl().run({"logs", id});
            outcome.out = logs.out + logs.err;
        } else if (!id.empty()) {
            outcome.refusal = crictl().container_status(id).value("message", "");
        }
        crictl().must({"rmp", "-f", pod_id});
    }
    return outcome;
}

std::string AttackTest::victim_directory() {
    const std::string dir = node().paths().base + "/victim";
    EXPECT_TRUE(make_dirs(dir, 0755));
    EXPECT_EQ(chmod(node().paths().base.c_str(), 0755), 0);
    EXPECT_TRUE(Dir::open(dir)->write_atomic("secret", "of the host", 0644));
    return dir;
}

}  // namespace orlop::it
