#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <sstream>

#include "cli/commands.h"
#include "cli/table.h"

namespace orlop::cli {

namespace {

// Everything the options write to; it lives as long as the command that reads it.
struct Settings {
    Common common;
    UpOptions up;
    DownOptions down;
    LogsOptions logs;
    ImportOptions import_image;
    PullOptions pull;
    bool prune_all = false;
    bool verify_all = false;  // there is nothing less
    std::string import_name;
    std::string import_node;
    std::vector<std::string> references;
    std::string output = "table";
};

// What CLI11 cannot check by itself, and the command.
struct Command {
    std::function<Result<int>(const Settings&)> run;
    std::function<Status(Settings&)> check = {};
};
using Commands = std::map<const CLI::App*, Command>;

void add_name(CLI::App& app, Settings& s) {
    app.add_option("--name,--node", s.common.node, "The node (default orlop)")->type_name("NAME");
}

void add_output(CLI::App& app, Settings& s) {
    app.add_option("-o,--output", s.output, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->type_name("FORMAT");
}

void add_up(CLI::App& app, Settings& s, Commands& commands) {
    CLI::App* up_app = app.add_subcommand("up", "Start a node: its runtime and its agent");
    add_name(*up_app, s);
    NodeOptions& n = s.up.node;
    up_app->add_option("--bin-dir", n.bin_dir, "Directory of orlop-runtime, orlop-shim and orlop-agent")
        ->type_name("DIR");
    up_app->add_option("--cni-bin-dir", n.cni_bin_dir, "Directory of the CNI plugins")->type_name("DIR");
    up_app->add_option("--manifests", n.manifests, "Folder of static pods")->type_name("DIR");
    up_app->add_option("--cni-conf-dir", n.cni_conf, "Directory of the CNI configuration")->type_name("DIR");
    up_app
        ->add_option("--cgroup-driver", n.cgroup_driver,
                     "systemd or cgroupfs (default: what fits the machine)")
        ->check(CLI::IsMember({"systemd", "cgroupfs"}))
        ->type_name("DRIVER");
    up_app->add_option("--healthz-port", n.healthz_port, "The agent's healthz port, 0 = none")
        ->check(CLI::Range(0, 65535))
        ->type_name("PORT");
    up_app->add_option("--wait", s.up.wait_seconds, "Wait until all pods are Ready, at most this long")
        ->check(CLI::Range(0, 86400))
        ->type_name("SECONDS");
    commands[up_app] = {[](const Settings& at) { return up(at.common, at.up); }};
}

void add_down(CLI::App& app, Settings& s, Commands& commands) {
    CLI::App* down_app = app.add_subcommand("down", "Stop a node with all of its pods");
    add_name(*down_app, s);
    auto* keep = down_app->add_flag("--keep-pods", s.down.keep_pods, "Stop only the daemons");
    down_app
        ->add_flag("--purge", s.down.purge,
                   "Remove the node's images, state and logs (never the default node's)")
        ->excludes(keep);
    commands[down_app] = {
        [](const Settings& at) { return down(at.common, at.down); },
        [](Settings& at) -> Status {
            if (!at.down.purge || !at.common.paths().is_default()) return ok();
            return Error::invalid("--purge is for nodes with a --name; remove /var/lib/orlop by hand");
        }};
}

void add_logs(CLI::App& app, Settings& s, Commands& commands) {
    CLI::App* logs_app = app.add_subcommand("logs", "Print the log of a container");
    add_name(*logs_app, s);
    logs_app->add_option("POD", s.logs.pod, "The pod, or NAMESPACE/POD")->required();
    logs_app->add_option("-c,--container", s.logs.container, "The container, if the pod has several")
        ->type_name("NAME");
    logs_app->add_flag("-f,--follow", s.logs.follow, "Go on until the container ends");
    logs_app->add_option("--tail", s.logs.tail, "Only the last lines, -1 = all")->type_name("N");
    logs_app->add_flag("-p,--previous", s.logs.previous, "Of the container before the last restart");
    logs_app->add_flag("--timestamps", s.logs.timestamps, "Each line with its time");
    commands[logs_app] = {[](const Settings& at) { return logs(at.common, at.logs); }};
}

Status check_import(Settings& at) {
    ImportOptions& options = at.import_image;
    if (options.file.empty() == options.rootfs.empty())
        return Error::invalid("image import: name a FILE, or a directory or tar with --rootfs");
    if (options.reference.empty()) {
        options.reference = at.import_name;
    } else if (at.import_node.empty()) {
        at.import_node = at.import_name;
    }
    if (!options.rootfs.empty() && options.reference.empty())
        return Error::invalid("image import --rootfs: give the image a --name");
    if (!at.import_node.empty()) at.common.node = at.import_node;
    return ok();
}

void add_import(CLI::App& images, Settings& s, Commands& commands) {
    CLI::App* import_app =
        images.add_subcommand("import", "Bring an image from a file or directory into the node");
    ImportOptions& i = s.import_image;
    auto* file =
        import_app->add_option("FILE", i.file, "docker-archive, OCI archive or OCI layout directory");
    auto* rootfs =
        import_app->add_option("--rootfs", i.rootfs, "Make an image of a root filesystem: directory or tar")
            ->type_name("DIR|TAR")
            ->excludes(file);
    import_app
        ->add_option("--reference,--ref", i.reference,
                     "The image's name; an archive keeps its own without it")
        ->type_name("REF");
    import_app->add_option("--name", s.import_name, "The same as --reference; beside a --reference: the node")
        ->type_name("REF");
    import_app->add_option("--node", s.import_node, "The node (default orlop)")->type_name("NAME");
    const auto of_rootfs = [&](const char* flag, std::vector<std::string>& to, const char* help) {
        import_app->add_option(flag, to, help)
            ->needs(rootfs)
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    };
    of_rootfs("--entrypoint", i.entrypoint, "One word of the entrypoint; repeat it for more");
    of_rootfs("--cmd", i.cmd, "One word of the default arguments; repeat it for more");
    of_rootfs("--env", i.env, "NAME=value; repeat it for more");
    import_app->add_option("--workdir", i.workdir, "Working directory")->needs(rootfs)->type_name("DIR");
    import_app->add_option("--user", i.user, "USER[:GROUP]")->needs(rootfs)->type_name("USER");
    commands[import_app] = {[](const Settings& at) { return image_import(at.common, at.import_image); },
                            check_import};
}

void add_pull(CLI::App& images, Settings& s, Commands& commands) {
    CLI::App* pull = images.add_subcommand("pull", "Bring an image from a registry into the node");
    add_name(*pull, s);
    pull->add_option("REF", s.pull.reference, "[HOST/]NAME[:TAG][@DIGEST]")->required();
    pull->add_option("--creds", s.pull.credentials, "Instead of what the node's files say")
        ->envname("ORLOP_REGISTRY_CREDS")
        ->type_name("USER:PASSWORD");
    commands[pull] = {
        [](const Settings& at) { return image_pull(at.common, at.pull); },
        [](Settings& at) -> Status {
            if (at.pull.credentials.empty() || at.pull.credentials.find(':') != std::string::npos)
                return ok();
            return Error::invalid("--creds is not USER:PASSWORD");
        }};
}

void add_upkeep(CLI::App& images, Settings& s, Commands& commands) {
    CLI::App* inspect = images.add_subcommand("inspect", "Print all that is known of images, as JSON");
    add_name(*inspect, s);
    inspect->add_option("REF", s.references, "Names or ids")->required();
    commands[inspect] = {[](const Settings& at) { return image_inspect(at.common, at.references); }};
    CLI::App* prune = images.add_subcommand("prune", "Remove images that no container uses and no tag names");
    add_name(*prune, s);
    prune->add_flag("-a,--all", s.prune_all, "Also those with a tag");
    commands[prune] = {[](const Settings& at) { return image_prune(at.common, at.prune_all); }};
    CLI::App* verify = images.add_subcommand("verify", "Check that the images on the disk are whole");
    add_name(*verify, s);
    verify->add_flag("--all", s.verify_all, "All images, which is what is done anyway");
    commands[verify] = {[](const Settings& at) { return image_verify(at.common); }};
}

void add_images(CLI::App& app, Settings& s, Commands& commands) {
    CLI::App* images = app.add_subcommand("image", "The images of the node");
    images->require_subcommand(0, 1);
    add_import(*images, s, commands);
    add_pull(*images, s, commands);
    add_upkeep(*images, s, commands);
    CLI::App* list = images->add_subcommand("ls", "List the images");
    add_name(*list, s);
    add_output(*list, s);
    commands[list] = {[](const Settings& at) { return image_list(at.common); }};
    CLI::App* remove = images->add_subcommand("rm", "Remove images, with all of their names");
    add_name(*remove, s);
    remove->add_option("REF", s.references, "Names or ids")->required();
    commands[remove] = {[](const Settings& at) { return image_remove(at.common, at.references); }};
}

void add_all(CLI::App& app, Settings& s, Commands& commands) {
    app.require_subcommand(0, 1);
    app.fallthrough();
    app.set_version_flag("--version", "orlop " ORLOP_VERSION);
    app.add_option("--runtime-endpoint", s.common.endpoint,
                   "The runtime that status, logs and image ask, unix:///path (default: the node's)")
        ->envname("ORLOP_RUNTIME_ENDPOINT")
        ->type_name("URL");
    add_up(app, s, commands);
    add_down(app, s, commands);
    CLI::App* status_app = app.add_subcommand("status", "Show the node and its pods");
    add_name(*status_app, s);
    add_output(*status_app, s);
    commands[status_app] = {[](const Settings& at) { return status(at.common); }};
    add_logs(app, s, commands);
    add_images(app, s, commands);
    CLI::App* supervise_app = app.add_subcommand("supervise")->group("");  // hidden
    add_name(*supervise_app, s);
    commands[supervise_app] = {[](const Settings& at) { return supervise(at.common); }};
    for (CLI::App* sub : app.get_subcommands({})) sub->fallthrough();
    for (CLI::App* sub : app.get_subcommand("image")->get_subcommands({})) sub->fallthrough();
}

const CLI::App* deepest(const CLI::App* app) {
    const auto chosen = app->get_subcommands();
    return chosen.empty() ? app : deepest(chosen.front());
}

std::string first_line(const std::string& text) {
    return printable(text.substr(0, text.find('\n')));
}

}  // namespace

Result<CommandLine> parse_command_line(int argc, const char* const* argv) {
    auto settings = std::make_shared<Settings>();
    Commands commands;
    CLI::App app("One Kubernetes node: start it, look at it, stop it.", "orlop");
    add_all(app, *settings, commands);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        std::ostringstream out;
        if (app.exit(e, out, out) == 0) return CommandLine{{}, out.str()};
        const CLI::App* at = deepest(&app);
        return Error::invalid(first_line(e.what()) + " (orlop " + (at == &app ? "" : at->get_name() + " ") +
                              "--help tells more)");
    }
    settings->common.json = settings->output == "json";
    // Not by require_subcommand: an unknown flag would hide behind "a subcommand is required".
    const auto chosen = commands.find(deepest(&app));
    if (chosen == commands.end()) {
        return Error::invalid("say what to do (" +
                              std::string(deepest(&app) == &app ? "orlop" : "orlop image") +
                              " --help lists the subcommands)");
    }
    const Command command = chosen->second;
    if (command.check) TRY(command.check(*settings));
    TRY(check_node_name(settings->common.node));
    return CommandLine{[settings, command] { return command.run(*settings); }, ""};
}

}  // namespace orlop::cli
