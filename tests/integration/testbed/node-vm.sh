#!/bin/bash
# node-vm.sh - throw-away nodes as small VMs (qemu, no KVM needed): systemd as PID 1, cgroup v2 with
# every controller, 2 vCPUs, ext4 root with project quotas, Debian's stock kernel.
#
#   node-vm.sh build               build the image and the booted snapshot (cached; "up" does it too)
#   node-vm.sh up NAME [IP]        start a node (IP in 10.250.0.0/24; default: next free)
#   node-vm.sh exec NAME CMD...    run CMD as a transient service of the node: its output and exit code, no stdin
#   node-vm.sh hub CMD...          run CMD on the bridge all nodes hang on (10.250.0.1)
#   node-vm.sh log NAME            the node's serial console
#   node-vm.sh down NAME... | --all
#   node-vm.sh run CMD...          up, exec, down; exit code of CMD
#   node-vm.sh clean               down --all, and drop the cache
#
# Environment:
#   NODE_DIR    state and cache            (default: $ORLOP_CACHE/node-vm, ~/.cache/orlop/node-vm)
#   NODE_SUITE  bookworm (systemd 252, kernel 6.1: as Rocky 9) | trixie (systemd 257, 6.12: as Rocky 10)
#   NODE_CG     v2 | v1 (bookworm only: systemd's own v1 layout, as Rocky 8)
#   NODE_PKGS   further Debian packages for the image
#   NODE_BIND   "SRC[:DST] ..." host directories shared read-write with the node (9p)
#   NODE_MEM    MiB (default 2048)    NODE_CPUS (default 2)   NODE_CPU qemu CPU model
#   NODE_COLD   1: really boot, instead of resuming the snapshot taken after the first boot
#   NODE_MIRROR Debian mirror (default: the first that apt uses)
#   NODE_HUB    the bridge's namespace (default $NODE_DIR/hub.netns); one file for both scripts: one network
# Needs (Debian 12): qemu-system-x86 qemu-utils mmdebstrap busybox-static kmod cpio xz-utils lz4 zstd e2fsprogs
#                    iproute2 util-linux procps
set -euo pipefail
self=$(readlink -f "$0")
NODE_DIR=${NODE_DIR:-${ORLOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/orlop}/node-vm}
NODE_SUITE=${NODE_SUITE:-bookworm}
NODE_CG=${NODE_CG:-v2}
NODE_PKGS=${NODE_PKGS:-}
NODE_BIND=${NODE_BIND:-}
NODE_MEM=${NODE_MEM:-2048}
NODE_CPUS=${NODE_CPUS:-2}
NODE_CPU=${NODE_CPU:-Nehalem,+rdrand}
NODE_COLD=${NODE_COLD:-}
NODE_MIRROR=${NODE_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -1)}
pkgs=systemd,systemd-sysv,dbus,udev,iproute2,iptables,nftables,conntrack,ipset,kmod,procps,util-linux,iputils-ping
pkgs+=,ca-certificates,curl,e2fsprogs,quota,libstdc++6,libseccomp2,openssl,busybox-static,containernetworking-plugins
case $NODE_SUITE in        # what Orlop's binaries link when they are built on that suite
    bookworm) pkgs+=,libgrpc++1.51,libprotobuf32,libspdlog1.10,libfmt9,libarchive13,libsqlite3-0,libyaml-cpp0.7,libcurl4,libcap2,libsystemd0 ;;
esac
pkgs+=${NODE_PKGS:+,${NODE_PKGS// /,}}
hub=${NODE_HUB:-$NODE_DIR/hub.netns}
key=$(echo "$NODE_SUITE $pkgs $(sed -n '/^build_image/,/^}/p' "$self")" | sha256sum | cut -c1-12)
cache=$NODE_DIR/cache/$NODE_SUITE-$key
warm=$cache/warm-$(echo "$NODE_CG-$NODE_MEM-$NODE_CPUS-$NODE_CPU" | tr -c 'a-zA-Z0-9\n' -)

die() { echo "node-vm: $*" >&2; exit 1; }
qemu_pid() { # DIR: the pid of its live qemu (a zombie has no cmdline)
    local p; p=$(cat "$1/pid" 2>/dev/null) && [ "$p" ] && grep -qs "path=$1/mon" "/proc/$p/cmdline" && echo "$p"
}
alive() { qemu_pid "$NODE_DIR/$1" >/dev/null; }
lock() { mkdir -p "$NODE_DIR"; exec 9>"$NODE_DIR/lock"; flock 9; }
unlock() { exec 9>&-; }
building='' starting=''                # what an interrupted run leaves, and cleanup() takes away
cleanup() {
    trap '' HUP INT TERM; set +e
    [ "$building" ] && { stop "$building"; rm -rf --one-file-system "$building"; }
    [ "$starting" ] && down "$starting"
}

# ---- the image -----------------------------------------------------------------------------
build_image() {
    local B=$cache.new r k v f m i=10
    building=$B; rm -rf --one-file-system "$B"; mkdir -p "$B/ird/bin" "$B/ird/m" "$B/tmp"; r=$B/root
    echo "node-vm: building $NODE_SUITE image (about a minute)" >&2
    TMPDIR=$B/tmp mmdebstrap --quiet --variant=extract --include=linux-image-amd64 "$NODE_SUITE" "$B/kern" "$NODE_MIRROR" >"$B/log.k" 2>&1 &
    k=$!
    TMPDIR=$B/tmp mmdebstrap --quiet --variant=minbase --include="$pkgs" --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$NODE_SUITE" "$r" "$NODE_MIRROR" >"$B/log" 2>&1 || { tail "$B/log" >&2; die "rootfs"; }
    wait $k || { tail "$B/log.k" >&2; die "kernel"; }
    k=$(echo "$B"/kern/boot/vmlinuz-*); v=${k##*/vmlinuz-}
    local md=$B/kern/lib/modules/$v; [ -d "$md" ] || md=$B/kern/usr/lib/modules/$v
    # qemu starts an uncompressed kernel through PVH: no decompression under emulation
    for m in "xz -dc:\xfd7zXZ\x00" "lz4 -dc:\x02\x21\x4c\x18" "zstd -dc:\x28\xb5\x2f\xfd" "gzip -dc:\x1f\x8b\x08"; do
        for f in $(LC_ALL=C grep -abo -P "${m#*:}" "$k" | cut -d: -f1); do
            tail -c +$((f + 1)) "$k" | ${m%%:*} >"$B/vmlinux" 2>/dev/null || :
            [ "$(head -c4 "$B/vmlinux" | tr -d '\177')" = ELF ] && break 2
        done
    done
    [ "$(head -c4 "$B/vmlinux" | tr -d '\177')" = ELF ] || die "cannot unpack $k"
    # modules: what a node may want, not every driver
    mkdir -p "$r/lib/modules/$v"
    for f in kernel/net kernel/lib kernel/crypto kernel/arch kernel/block kernel/security kernel/fs kernel/drivers/block \
        kernel/drivers/net/{veth,dummy,tun,vxlan,geneve,ipvlan,macvlan,wireguard,virtio_net,bonding,ifb,net_failover,vrf,netkit}* \
        kernel/drivers/{virtio,char/virtio_console*,char/hw_random/virtio*,vhost,md}; do
        ( cd "$md"; for x in $f; do [ -e "$x" ] && find "$x" -name '*.ko*'; done ) || :
    done >"$B/mods"
    ( cd "$md"; ls modules.builtin* modules.order; cat "$B/mods" ) | tar -C "$md" -cf - -T - | tar -C "$r/lib/modules/$v" -xf -
    depmod -b "$r" "$v"
    cp /bin/busybox "$B/ird/bin/"
    for m in virtio_pci virtio_blk virtio_console virtio_net virtio_rng quota_v2 ext4; do modprobe -d "$r" -S "$v" --show-depends "$m"; done |
        awk '$1=="insmod" && !s[$2]++ {print $2}' | while read -r f; do
        case $f in
            *.xz)  xz -dc "$f" >"$B/ird/m/$i" ;;
            *.zst) zstd -qdc "$f" >"$B/ird/m/$i" ;;
            *)     cp "$f" "$B/ird/m/$i" ;;
        esac
        i=$((i + 1))
    done
    cat >"$B/ird/init" <<'X'
#!/bin/busybox sh
b=/bin/busybox
$b mkdir -p /dev /root; $b mount -t devtmpfs d /dev
for m in /m/*; do $b insmod $m; done
i=0; while [ ! -b /dev/vda ] && [ $i -lt 500 ]; do $b usleep 10000; i=$((i+1)); done
$b mount -t ext4 -o rw,noatime,prjquota /dev/vda /root && $b mount --move /dev /root/dev
exec $b switch_root /root /lib/systemd/systemd
X
    chmod 755 "$B/ird/init"
    ( cd "$B/ird"; find . | cpio -o -H newc --quiet ) >"$B/initrd"
    # the node's configuration
    mkdir -p "$r/usr/local/lib" "$r/etc/systemd/system/multi-user.target.wants"
    cat >"$r/usr/local/lib/node-guest" <<'X'
#!/bin/bash
# obeys the host's node-vm.sh over a virtio port; jobs and their output travel through a 9p directory
until p=$(grep -lsx node.ctl /sys/class/virtio-ports/*/name); do sleep 0.1; done
p=${p%/name}; exec 3<>"/dev/${p##*/}"
say() { echo "$*" >&3; }
job() {
    local j=/run/node/io/$1 a=() b=() x rc=0
    mapfile -d '' -t a <"$j/args"
    for x in "${a[@]}"; do b+=("${x//\$/\$\$}"); done          # systemd-run would expand $
    systemd-run --quiet --wait --pipe --collect --property=TasksMax=infinity -- "${b[@]}" </dev/null >"$j/out" 2>"$j/err" || rc=$?
    echo "$rc" >"$j/rc.new"; mv "$j/rc.new" "$j/rc"
}
say "ready $(systemctl is-system-running --wait)"
while read -r op a b c d e <&3; do
    case $op in
        hello)  # NAME IP MAC EPOCH BOOT_ID
            date -us "@$d" >/dev/null
            hostname "$a"; echo "$a" >/etc/hostname; echo "127.0.1.1 $a" >>/etc/hosts
            echo "${e//-/}" >/etc/machine-id
            mkdir -p /run/node/io /run/node/share /run/node/proc
            mount -t proc proc /run/node/proc      # a proc nothing is mounted on: user namespaces may mount theirs
            modprobe 9pnet_virtio
            echo "$e" >/run/node/boot_id; mount --bind /run/node/boot_id /proc/sys/kernel/random/boot_id
            ip link set eth0 down; ip link set eth0 address "$c"; ip link set eth0 up
            ip addr add "$b/24" dev eth0; ip route add default via 10.250.0.1
            mount -t 9p -o trans=virtio,version=9p2000.L,cache=none,msize=262144 io /run/node/io
            mount -t 9p -o trans=virtio,version=9p2000.L,cache=mmap,msize=1048576 share /run/node/share
            say ok ;;
        bind)   mkdir -p "$b"; mount --bind "/run/node/share/$a" "$b"; say ok ;;
        run)    job "$a" & ;;
        poweroff) systemctl poweroff ;;
    esac
done
X
    chmod 755 "$r/usr/local/lib/node-guest"
    printf '[Unit]\nDescription=node-vm guest\n[Service]\nExecStart=/usr/local/lib/node-guest\nKillMode=process\n[Install]\nWantedBy=multi-user.target\n' >"$r/etc/systemd/system/node-guest.service"
    ln -s /etc/systemd/system/node-guest.service "$r/etc/systemd/system/multi-user.target.wants/"
    for m in getty.target serial-getty@ttyS0.service console-getty.service systemd-timesyncd.service apt-daily.timer apt-daily-upgrade.timer \
        e2scrub_reap.service e2scrub_all.timer fstrim.timer dpkg-db-backup.timer systemd-pstore.service systemd-random-seed.service \
        systemd-remount-fs.service systemd-firstboot.service systemd-networkd.service systemd-resolved.service \
        systemd-udev-settle.service systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-logind.service \
        systemd-journal-flush.service systemd-machine-id-commit.service; do ln -sf /dev/null "$r/etc/systemd/system/$m"; done
    printf '[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\n' >"$r/etc/systemd/journald.conf"
    mkdir -p "$r/etc/systemd/system.conf.d"
    printf '[Manager]\nDefaultTimeoutStopSec=10s\n' >"$r/etc/systemd/system.conf.d/node.conf"
    printf 'net.ipv4.ip_forward=1\nnet.ipv6.conf.all.forwarding=1\n' >"$r/etc/sysctl.d/90-node.conf"
    echo node >"$r/etc/hostname"; echo '127.0.0.1 localhost' >"$r/etc/hosts"; : >"$r/etc/fstab"
    tr -d - </proc/sys/kernel/random/uuid >"$r/etc/machine-id"
    truncate -s 8G "$B/root.img"
    mke2fs -q -t ext4 -F -O quota,project,^metadata_csum -E quotatype=usrquota:grpquota:prjquota,lazy_itable_init=1 -d "$r" "$B/root.img"
    rm -rf "$B/root" "$B/kern" "$B/ird" "$B/tmp" "$B"/log* "$B/mods"
    mv "$B" "$cache"; building=''
}

# ---- a running qemu ------------------------------------------------------------------------
start() { # DIR NAME DISK [qemu arguments...]: starts qemu with its state in DIR
    local N=$1 n=$2 disk=$3 net=(-nic none) cg=1 pre=() i=0 b; shift 3
    mkdir -p "$N/io" "$N/share"
    for b in ctl.in ctl.out mon.in mon.out; do mkfifo "$N/$b"; done
    [ "$NODE_CG" = v1 ] && cg="0 systemd.legacy_systemd_cgroup_controller=1 cgroup_enable=memory"
    if [ "$n" ]; then
        hub_up
        nsenter --net="$hub" sh -ec "ip tuntap add v-$n mode tap; ip link set v-$n master br0 up"
        net=(-netdev "tap,id=n0,ifname=v-$n,script=no,downscript=no"); pre=(nsenter --net="$hub")
    else
        net=(-netdev "hubport,id=n0,hubid=0")
    fi
    net+=(-device virtio-net-pci,netdev=n0,romfile=)
    # shared directories are bound in qemu's own mount namespace: nothing to unmount afterwards
    for b in $NODE_BIND; do mkdir "$N/share/$i"; i=$((i + 1)); done
    "${pre[@]}" setsid unshare --mount --propagation private bash -c '
        i=0; for b in $2; do mount --rbind "${b%%:*}" "$1/share/$i"; i=$((i+1)); done; shift 2; exec "$@"' - "$N" "$NODE_BIND" \
    qemu-system-x86_64 -name "${n:-build}" -machine pc,hpet=off -accel tcg,thread=multi,tb-size=256 -cpu "$NODE_CPU" \
        -m "$NODE_MEM" -smp "$NODE_CPUS" -nodefaults -no-user-config -no-reboot -display none -pidfile "$N/pid" \
        -serial "file:$N/console" -chardev "pipe,id=mon,path=$N/mon" -mon chardev=mon \
        -kernel "$cache/vmlinux" -initrd "$cache/initrd" \
        -append "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off nokaslr audit=0 net.ifnames=0 random.trust_cpu=1 systemd.show_status=0 systemd.unified_cgroup_hierarchy=$cg" \
        -drive "file=$disk,if=none,id=d0,format=qcow2,cache=unsafe,discard=unmap" -device virtio-blk-pci,drive=d0 \
        -device virtio-rng-pci -device "vmgenid,guid=auto" \
        -device virtio-serial-pci -chardev "pipe,id=ctl,path=$N/ctl" -device virtserialport,chardev=ctl,name=node.ctl \
        -fsdev "local,id=io,path=$N/io,security_model=passthrough" -device virtio-9p-pci,fsdev=io,mount_tag=io \
        -fsdev "local,id=share,path=$N/share,security_model=passthrough,multidevs=remap" -device virtio-9p-pci,fsdev=share,mount_tag=share \
        "${net[@]}" "$@" </dev/null >"$N/qemu.log" 2>&1 &
    for i in $(seq 200); do [ -s "$N/pid" ] && break; sleep 0.02; done
    [ -s "$N/pid" ] || { cat "$N/qemu.log" >&2; die "qemu did not start"; }
    exec 5<>"$N/mon.in" 6<>"$N/mon.out" 7<>"$N/ctl.in" 8<>"$N/ctl.out"
}
hear() { # SECONDS: one line from the guest
    local l; read -r -t "$1" l <&8 && echo "$l"
}
hub_up() {
    mountpoint -q "$hub" && return
    : >"$hub"; unshare --net="$hub" true
    nsenter --net="$hub" sh -c 'ip link set lo up; ip link add br0 type bridge; ip addr add 10.250.0.1/24 dev br0; ip link set br0 up; echo 1 >/proc/sys/net/ipv4/ip_forward'
}
build() { # under the lock
    local B=$warm.new s l
    [ -e "$cache" ] || build_image
    [ -n "$NODE_COLD" ] || [ -e "$warm" ] && return
    echo "node-vm: first boot" >&2
    building=$B; rm -rf --one-file-system "$B"; mkdir -p "$B"
    qemu-img create -q -f qcow2 -F raw -b "$cache/root.img" "$B/disk.qcow2"
    NODE_BIND='' start "$B" '' "$B/disk.qcow2"
    s=$(hear 300) || { cat "$B/console" >&2; die "the first boot did not finish"; }
    case $s in "ready running"|"ready degraded") ;; *) cat "$B/console" >&2; die "first boot: $s" ;; esac
    sleep 2
    echo "migrate \"exec:cat >$B/ram\"" >&5
    for s in $(seq 300); do
        echo "info migrate" >&5; l=
        until [[ $l == *"Migration status:"* ]]; do read -r -t 5 l <&6 || break; done
        case $l in *completed*) break ;; *failed*) die "snapshot: $l" ;; esac
        sleep 0.1
    done
    [[ $l == *completed* ]] || die "snapshot: $l"
    exec 5>&- 6>&- 7>&- 8>&-
    stop "$B"
    rm -rf "$B"/{io,share,*.in,*.out,pid}
    mv "$B" "$warm"; building=''
    qemu-img rebase -q -u -f qcow2 -F raw -b "$cache/root.img" "$warm/disk.qcow2"
}
stop() { # DIR: ends its qemu
    local N=$1 p i; p=$(qemu_pid "$N") || return 0
    kill "$p" 2>/dev/null || :
    for i in $(seq 100); do qemu_pid "$N" >/dev/null || return 0; sleep 0.05; done
    kill -9 "$p" 2>/dev/null || :; sleep 0.2
}

up() {
    local n=$1 ip=${2:-} N=$NODE_DIR/$1 i s mac id
    [[ $n =~ ^[a-z][a-z0-9-]{0,11}$ && $n != cache ]] || die "bad node name $n"
    alive "$n" && die "$n is up"
    [ -e "$N" ] && down "$n"
    lock; build
    starting=$n; mkdir -p "$N"
    if [ -z "$ip" ]; then
        for i in $(seq 111 250); do grep -qsx "10.250.0.$i" "$NODE_DIR"/*/ip || { ip=10.250.0.$i; break; }; done
    fi
    echo "$ip" >"$N/ip"; hub_up; unlock
    mac=$(printf '52:54:00:fa:00:%02x' "${ip##*.}"); id=$(cat /proc/sys/kernel/random/uuid)
    if [ -n "$NODE_COLD" ]; then
        qemu-img create -q -f qcow2 -F raw -b "$cache/root.img" "$N/disk.qcow2"
        start "$N" "$n" "$N/disk.qcow2"
        s=$(hear 300) || { cat "$N/console" >&2; die "$n did not boot"; }
        [ "$s" = "ready running" ] || echo "node-vm: $n: $s" >&2
    else
        qemu-img create -q -f qcow2 -F qcow2 -b "$warm/disk.qcow2" "$N/disk.qcow2"
        start "$N" "$n" "$N/disk.qcow2" -incoming "exec:cat $warm/ram"
    fi
    echo "hello $n $ip $mac $(date +%s) $id" >&7
    s=$(hear 60) && [ "$s" = ok ] || { cat "$N/qemu.log" "$N/console" >&2; die "$n does not answer"; }
    i=0; for b in $NODE_BIND; do
        echo "bind $i ${b#*:}" >&7; i=$((i + 1)); s=$(hear 20) || die "$n: cannot bind $b"
    done
    exec 5>&- 6>&- 7>&- 8>&-; starting=''
}

exec_in() {
    local n=$1 N=$NODE_DIR/$1 j w t rc; shift; alive "$n" || die "$n is not up"
    j=$(mktemp -d "$N/io/XXXXXXXX"); printf '%s\0' "$@" >"$j/args"; : >"$j/out"; : >"$j/err"
    ( until [ -s "$j/rc" ]; do alive "$n" || exit 0; sleep 0.05; done ) & w=$!
    tail -s 0.02 -c +1 -f --pid=$w "$j/out" & t=$!
    tail -s 0.02 -c +1 -f --pid=$w "$j/err" >&2 &
    exec 7<>"$N/ctl.in"; echo "run ${j##*/}" >&7; exec 7>&-
    wait "$w" "$t" $! || :
    rc=$(cat "$j/rc" 2>/dev/null) || { echo "node-vm: $n is gone" >&2; return 125; }
    rm -rf "$j"
    return "$rc"
}

down() {
    local n=$1 N=$NODE_DIR/$1
    [ -d "$N" ] && [ "$n" != cache ] || return 0
    stop "$N"
    mountpoint -q "$hub" && nsenter --net="$hub" ip link del "v-$n" 2>/dev/null || :
    rm -rf --one-file-system "$N"
    if ! nsenter --net="$hub" ip -br link 2>/dev/null | grep -q '^v-'; then umount "$hub" 2>/dev/null || :; rm -f "$hub" "$NODE_DIR/lock"; fi
}

[ "$(id -u)" = 0 ] || die "needs root"
trap cleanup EXIT; trap 'exit 143' HUP INT TERM
cmd=${1:-}; [ -n "$cmd" ] && shift
case $cmd in
    build) lock; build; unlock; rm -f "$NODE_DIR/lock" ;;
    up)    [ $# -ge 1 ] || die "up NAME [IP]"; up "$@" ;;
    exec)  [ $# -ge 2 ] || die "exec NAME CMD..."; exec_in "$@" ;;
    hub)   exec nsenter --net="$hub" -- "$@" ;;
    log)   cat "$NODE_DIR/$1/console" ;;
    down|clean)
           if [ "$cmd" = clean ] || [ "${1:-}" = --all ]; then set -- $(cd "$NODE_DIR" 2>/dev/null && ls -d */ 2>/dev/null | tr -d / | grep -vx cache); fi
           for n in "$@"; do down "$n"; done
           if [ "$cmd" = clean ]; then rm -rf --one-file-system "$NODE_DIR"; fi ;;
    run)   n=run$$; up "$n"; starting=$n; rc=0; exec_in "$n" "$@" & wait $! || rc=$?; exit $rc ;;
    *)     sed -n '2,29p' "$self"; exit 2 ;;
esac
