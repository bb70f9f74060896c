#!/bin/bash
# node-ns.sh - throw-away "nodes": systemd as PID 1 in private pid/mnt/net/uts/ipc/cgroup
# namespaces, on this machine's cgroup v1 controllers, over a copy-on-write view of the host's /.
#
#   node-ns.sh up NAME [IP]        start a node (IP in 10.250.0.0/24; default: next free)
#   node-ns.sh exec NAME CMD...    run CMD as a transient service of the node; its exit code and output
#   node-ns.sh enter NAME [CMD..]  run CMD in the node's namespaces, not under its systemd
#   node-ns.sh hub CMD...          run CMD on the bridge all nodes hang on (10.250.0.1)
#   node-ns.sh log NAME            the node's journal
#   node-ns.sh down NAME... | --all
#   node-ns.sh run CMD...          up, exec, down; exit code of CMD
#
# Environment:
#   NODE_DIR    state directory, on a plain ext4 (default: $ORLOP_CACHE/node-ns, ~/.cache/orlop/node-ns)
#   NODE_ROOT   "host" = overlay over /; a rootfs directory (overlaid too); "bind" = / itself, writes stay
#   NODE_BIND   "SRC[:DST] ..." directories shared read-write with the node (build tree)
#   NODE_STATE  directories in the node that must be a plain ext4 (overlayfs upper dirs)
#   NODE_CG     hybrid (systemd tracks on cgroup2, limits on v1) | legacy (v1 only, as Rocky 8)
#   NODE_SYSCTL ro (only net.* and the ipc ones writable) | rw
#   NODE_HUB    the bridge's namespace (default $NODE_DIR/hub.netns); one file for both scripts: one network
#   NODE_TIMEOUT seconds to wait for boot  (default 30)
# Needs (Debian 12): systemd dbus util-linux iproute2 procps
set -euo pipefail
self=$(readlink -f "$0")
NODE_DIR=${NODE_DIR:-${ORLOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/orlop}/node-ns}
NODE_ROOT=${NODE_ROOT:-host}
NODE_BIND=${NODE_BIND:-}
NODE_STATE=${NODE_STATE:-/var/lib/orlop /var/lib/kubelet /var/lib/containerd /var/log/pods}
NODE_CG=${NODE_CG:-hybrid}
NODE_SYSCTL=${NODE_SYSCTL:-ro}
NODE_TIMEOUT=${NODE_TIMEOUT:-30}
export NODE_DIR NODE_ROOT NODE_BIND NODE_STATE NODE_CG NODE_SYSCTL
hub=${NODE_HUB:-$NODE_DIR/hub.netns}

die() { echo "node-ns: $*" >&2; exit 1; }
# the node's pid 1, seen from here; a zombie has no cmdline, a recycled pid is not in the node's cgroup
running() { local p; p=$(cat "$NODE_DIR/$1/pid" 2>/dev/null) && [ "$(head -c1 "/proc/$p/cmdline" 2>/dev/null | tr '\0' x)" ] && grep -qs "/node-$1\(/\|\$\)" "/proc/$p/cgroup"; }
alive() { running "$1" && [ "$(cat "/proc/$(cat "$NODE_DIR/$1/pid")/comm" 2>/dev/null)" = systemd ]; }

starting=''                            # what an interrupted run leaves, and cleanup() takes away
cleanup() { trap '' HUP INT TERM; set +e; [ "$starting" ] && down "$starting"; }

# ---- inside the new namespaces, before systemd ---------------------------------------------
inner() {
    local n=$1 N=$NODE_DIR/$1 r=$NODE_DIR/$1/root p d
    mount --make-rprivate /
    case $NODE_ROOT in
        bind) mount --bind / "$r" ;;
        host) mount -t overlay "$n" -o "lowerdir=/,upperdir=$N/upper,workdir=$N/work" "$r" ;;
        *)    mount -t overlay "$n" -o "lowerdir=$NODE_ROOT,upperdir=$N/upper,workdir=$N/work" "$r" ;;
    esac
    mkdir -p "$r"/{proc,sys,dev,run,tmp,etc/systemd,var/tmp}
    mount -t proc  -o nosuid,nodev,noexec proc "$r/proc"
    mount -t sysfs -o nosuid,nodev,noexec sysfs "$r/sys"
    mount -t tmpfs -o nosuid,mode=755,size=16m dev "$r/dev"
    mount -t tmpfs -o nosuid,nodev,mode=755 run "$r/run"
    mount -t tmpfs -o nosuid,nodev,mode=1777 tmp "$r/tmp"
    mount -t tmpfs -o mode=755 etc-systemd "$r/etc/systemd"
    mkdir -p "$r"/dev/{pts,shm,mqueue,hugepages,net} "$r/run/node"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$r/dev/pts"
    mount -t tmpfs -o nosuid,nodev,mode=1777 shm "$r/dev/shm"
    mknod -m666 "$r/dev/null" c 1 3;    mknod -m666 "$r/dev/zero" c 1 5
    mknod -m666 "$r/dev/full" c 1 7;    mknod -m666 "$r/dev/random" c 1 8
    mknod -m666 "$r/dev/urandom" c 1 9; mknod -m666 "$r/dev/tty" c 5 0
    mknod -m666 "$r/dev/fuse" c 10 229; mknod -m666 "$r/dev/net/tun" c 10 200
    mknod -m400 "$r/dev/kmsg" c 1 11;   mknod -m660 "$r/dev/loop-control" c 10 237
    for p in 0 1 2 3 4 5 6 7; do mknod -m660 "$r/dev/loop$p" b 7 "$p"; done
    ln -s pts/ptmx "$r/dev/ptmx"; ln -s /proc/self/fd "$r/dev/fd"
    for p in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${p%:*}" "$r/dev/${p#*:}"; done
    : >"$N/console"; : >"$r/dev/console"; mount --bind "$N/console" "$r/dev/console"
    # an untouched proc and sysfs, so that pods in user namespaces may mount their own
    mkdir -p "$r/run/node/proc" "$r/run/node/sys"
    mount -t proc proc "$r/run/node/proc"; mount -t sysfs sysfs "$r/run/node/sys"
    if [ "$NODE_SYSCTL" = ro ]; then        # most of /proc/sys belongs to the machine, not to the node
        mount --bind "$r/proc/sys" "$r/proc/sys"
        for p in net kernel/shmmax kernel/shmall kernel/shmmni kernel/shm_rmid_forced kernel/msgmax \
                 kernel/msgmnb kernel/msgmni kernel/sem kernel/hostname kernel/domainname fs/mqueue; do
            [ -e "$r/proc/sys/$p" ] && mount --bind "$r/proc/sys/$p" "$r/proc/sys/$p"
        done
        mount -o remount,bind,ro,nosuid,nodev,noexec "$r/proc/sys"
        if [ -e "$r/proc/sysrq-trigger" ]; then
            mount --bind "$r/proc/sysrq-trigger" "$r/proc/sysrq-trigger"
            mount -o remount,bind,ro "$r/proc/sysrq-trigger"
        fi
    fi
    # cgroups: own cgroup namespace, so every mount shows only the node's subtree as its root
    mount -t tmpfs -o nosuid,nodev,noexec,mode=755 cgroup "$r/sys/fs/cgroup"
    local ctl path
    while IFS=: read -r _ ctl path; do
        case $ctl in
            '')     [ "$NODE_CG" = hybrid ] || continue; d=unified; p=(-t cgroup2) ;;
            name=*) d=${ctl#name=}; p=(-t cgroup -o "none,$ctl") ;;
            *)      d=$ctl; p=(-t cgroup -o "$ctl") ;;
        esac
        mkdir "$r/sys/fs/cgroup/$d"
        mount "${p[@]}" -o nosuid,nodev,noexec cgroup "$r/sys/fs/cgroup/$d"
    done </proc/self/cgroup
    # plain directories of the host's ext4: shared ones, and state (overlayfs cannot stack on overlayfs)
    for d in $NODE_BIND; do mkdir -p "$r/${d#*:}"; mount --bind "${d%%:*}" "$r/${d#*:}"; done
    [ "$NODE_ROOT" = bind ] || for d in $NODE_STATE; do mkdir -p "$N/state$d" "$r$d"; mount --bind "$N/state$d" "$r$d"; done
    # the node's own configuration; nothing the host has enabled is started
    local u=$r/etc/systemd/system
    mkdir -p "$u" "$r/etc/systemd/system-generators"
    ln -s /dev/null "$r/etc/systemd/system-generators/systemd-sysv-generator"
    ln -s /dev/null "$r/etc/systemd/system-generators/systemd-getty-generator"
    for p in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
        systemd-udev-trigger.service systemd-sysctl.service systemd-binfmt.service \
        systemd-modules-load.service systemd-random-seed.service systemd-machine-id-commit.service \
        systemd-firstboot.service systemd-pstore.service systemd-timesyncd.service systemd-logind.service \
        systemd-remount-fs.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
        systemd-networkd.service systemd-journald-audit.socket systemd-repart.service \
        proc-sys-fs-binfmt_misc.automount sys-kernel-debug.mount sys-kernel-tracing.mount \
        sys-kernel-config.mount kmod-static-nodes.service getty.target console-getty.service \
        systemd-tmpfiles-clean.timer systemd-initctl.socket; do ln -s /dev/null "$u/$p"; done
    ln -s /lib/systemd/system/multi-user.target "$u/default.target"
    printf '[Manager]\nShowStatus=no\nDefaultCPUAccounting=yes\nDefaultMemoryAccounting=yes\nDefaultTasksAccounting=yes\nDefaultTimeoutStopSec=10s\n' >"$r/etc/systemd/system.conf"
    printf '[Journal]\nStorage=volatile\nReadKMsg=no\nRateLimitIntervalSec=0\n' >"$r/etc/systemd/journald.conf"
    local f
    for f in hostname machine-id hosts fstab; do
        case $f in
            hostname)   echo "$n" ;;
            machine-id) tr -d - </proc/sys/kernel/random/uuid ;;
            hosts)      printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$n" ;;
            fstab)      ;;
        esac >"$r/run/node/$f"
        [ -e "$r/etc/$f" ] || : >"$r/etc/$f"
        mount --bind "$r/run/node/$f" "$r/etc/$f"
    done
    hostname "$n"
    ip link set lo up
    until [ -e "$N/net.ready" ]; do sleep 0.01; done
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 2>/dev/null || :
    cd "$r"; pivot_root . .; umount -l .; cd /
    exec env -i container=node-ns PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        LANG=C.UTF-8 /lib/systemd/systemd --system </dev/null >/dev/console 2>&1
}

cgroups_of_self() { # the directory of this process in every mounted hierarchy
    local ctl path d
    while IFS=: read -r _ ctl path; do
        case $ctl in '') d=unified ;; name=*) d=${ctl#name=} ;; *) d=$ctl ;; esac
        [ -d "/sys/fs/cgroup/$d$path" ] && echo "/sys/fs/cgroup/$d${path%/}"
    done </proc/self/cgroup
}

hub_up() {
    mountpoint -q "$hub" && return
    : >"$hub"; unshare --net="$hub" true
    nsenter --net="$hub" sh -c 'ip link set lo up; ip link add br0 type bridge; ip addr add 10.250.0.1/24 dev br0; ip link set br0 up; echo 1 >/proc/sys/net/ipv4/ip_forward'
}

up() {
    local n=$1 ip=${2:-} N=$NODE_DIR/$1 c i
    [[ $n =~ ^[a-z][a-z0-9-]{0,11}$ ]] || die "bad node name $n"
    alive "$n" && die "$n is up"
    [ -e "$N" ] && down "$n"
    mkdir -p "$NODE_DIR"; exec 9>"$NODE_DIR/lock"; flock 9
    starting=$n; mkdir -p "$N"/{upper,work,root,state}
    chmod 755 "$N/upper"
    if [ -z "$ip" ]; then
        for i in $(seq 11 250); do grep -qsx "10.250.0.$i" "$NODE_DIR"/*/ip || { ip=10.250.0.$i; break; }; done
    fi
    echo "$ip" >"$N/ip"
    hub_up
    cgroups_of_self | sed "s|\$|/node-$n|" >"$N/cgroups"
    while read -r c; do
        mkdir -p "$c"
        if [ -e "$c/cpuset.cpus" ]; then            # v1 cpusets start empty
            echo 1 >"$c/cgroup.clone_children"
            [ -s "$c/cpuset.cpus" ] && [ -n "$(cat "$c/cpuset.cpus")" ] || cat "$c/../cpuset.cpus" >"$c/cpuset.cpus"
            [ -n "$(cat "$c/cpuset.mems")" ] || cat "$c/../cpuset.mems" >"$c/cpuset.mems"
        fi
    done <"$N/cgroups"
    flock -u 9; exec 9>&-
    (   while read -r c; do echo $BASHPID >"$c/cgroup.procs"; done <"$N/cgroups"
        exec setsid unshare --mount --pid --fork --net --uts --ipc --cgroup \
            bash "$self" __inner "$n" </dev/null >"$N/setup.log" 2>&1 ) &
    local w=$! p=
    for i in $(seq 500); do p=$(ps -o pid= --ppid "$w" 2>/dev/null | tr -d ' ') || :; [ -n "$p" ] && break; sleep 0.01; done
    [ -n "$p" ] || { cat "$N/setup.log" >&2; die "no child"; }
    echo "$p" >"$N/pid"
    until [ "$(readlink "/proc/$p/ns/net")" != "$(readlink "/proc/$$/ns/net")" ]; do sleep 0.01; done
    nsenter --net="$hub" sh -ec "ip link add v-$n type veth peer name eth0 netns $p; ip link set v-$n master br0 up"
    nsenter -t "$p" --net sh -ec "ip addr add $ip/24 dev eth0; ip link set eth0 up; ip route add default via 10.250.0.1"
    : >"$N/net.ready"
    local end=$((SECONDS + NODE_TIMEOUT)) s=
    until [ -S "/proc/$p/root/run/systemd/private" ] && [ "$(cat "/proc/$p/comm" 2>/dev/null)" = systemd ]; do
        [ -d "/proc/$p" ] && [ $SECONDS -lt $end ] || { cat "$N/setup.log" "$N/console" >&2; die "$n did not start"; }
        sleep 0.02
    done
    s=$(timeout "$NODE_TIMEOUT" nsenter -t "$p" -m -u -i -n -p -C systemctl is-system-running --wait 2>/dev/null) || :
    case $s in
        running)  ;;
        degraded) nsenter -t "$p" -m -u -i -n -p -C systemctl --failed --no-legend --plain >&2 ;;
        *)        cat "$N/console" >&2; die "$n: state '$s'" ;;
    esac
    starting=''
}

enter() {
    local n=$1; shift; alive "$n" || die "$n is not up"
    exec nsenter -t "$(cat "$NODE_DIR/$n/pid")" -m -u -i -n -p -C -w -r -- "$@"
}

run_in() { # systemd-run would expand $ in the arguments: $$ is a literal one
    local n=$1 a=(); shift; for i in "$@"; do a+=("${i//\$/\$\$}"); done
    ( enter "$n" systemd-run --quiet --wait --pipe --collect --property=TasksMax=infinity -- "${a[@]}" )
}

down() {
    local n=$1 N=$NODE_DIR/$1 p i c
    [ -d "$N" ] || return 0
    p=$(cat "$N/pid" 2>/dev/null || :)
    if alive "$n"; then
        kill -s RTMIN+4 "$p" 2>/dev/null || :                    # poweroff.target
        for i in $(seq 300); do running "$n" || break; sleep 0.05; done
    fi
    if running "$n"; then kill -9 "$p" 2>/dev/null || :; fi      # the rest of the pid namespace goes with it
    for i in $(seq 100); do running "$n" || break; sleep 0.05; done
    mountpoint -q "$hub" && nsenter --net="$hub" ip link del "v-$n" 2>/dev/null || :
    for i in $(seq 50); do
        while read -r c; do
            [ -d "$c" ] || continue
            find "$c" -depth -type d -exec rmdir {} + 2>/dev/null || :
        done <"$N/cgroups"
        while read -r c; do [ -d "$c" ] && break; done <"$N/cgroups" || :
        [ -d "$c" ] || break
        sleep 0.1
    done
    while read -r c; do [ -d "$c" ] && echo "node-ns: $c is still in use" >&2; done <"$N/cgroups" || :
    rm -rf --one-file-system "$N"
    # last one out
    if ! nsenter --net="$hub" ip -br link 2>/dev/null | grep -q '^v-'; then umount "$hub" 2>/dev/null || :; rm -f "$hub"; fi
    ls "$NODE_DIR"/*/cgroups >/dev/null 2>&1 || rm -rf --one-file-system "$NODE_DIR"
}

[ "$(id -u)" = 0 ] || die "needs root"
trap cleanup EXIT; trap 'exit 143' HUP INT TERM
cmd=${1:-}; [ -n "$cmd" ] && shift
case $cmd in
    __inner) inner "$1" ;;
    up)      [ $# -ge 1 ] || die "up NAME [IP]"; up "$@" ;;
    exec)    [ $# -ge 2 ] || die "exec NAME CMD..."; run_in "$@" ;;
    enter)   [ $# -ge 1 ] || die "enter NAME"; n=$1; shift; [ $# -gt 0 ] || set -- bash; enter "$n" "$@" ;;
    hub)     exec nsenter --net="$hub" -- "$@" ;;
    log)     enter "$1" journalctl --no-pager -b ;;
    down)    if [ "${1:-}" = --all ]; then set -- $(cd "$NODE_DIR" 2>/dev/null && ls -d */ 2>/dev/null | tr -d /); fi
             for n in "$@"; do down "$n"; done ;;
    run)     n=run$$; up "$n"; starting=$n; rc=0; run_in "$n" "$@" <&0 & wait $! || rc=$?; exit $rc ;;
    *)       sed -n '2,26p' "$self"; exit 2 ;;
esac
