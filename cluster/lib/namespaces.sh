# Hosts as Linux namespaces: each has its own network, host name, process tree, /dev/shm and /proc. The nodes live inside the
# namespaces of "head", so all of them end with head's first process.

slurm_user=root

# User namespaces are no way for others than root: Slurm's daemons call setgroups, which those forbid.
namespaces_allowed() {
    unshare --net --uts --ipc --mount --pid --fork --mount-proc mount -t tmpfs shm /dev/shm 2>/dev/null
}

host_configuration() {
    echo "SlurmctldHost=head(10.77.0.1)"
    echo "NodeName=n[1-$1] NodeAddr=10.77.0.[11-$((10 + $1))]"
}

host_environment() { :; }

hosts_alive() { [[ -e $dir/head.pid ]] && kill -0 "$(<"$dir/head.pid")" 2>/dev/null; }

host_is_up() { [[ -e $dir/hosts/$1 ]]; }

# on HOST COMMAND...: in this directory, with this environment. Nodes' process numbers are those that head sees.
on() {
    local host=$1
    shift
    if [[ $host != head ]]; then
        local cores=()
        [[ ! -e $dir/hosts/$host.cores ]] || cores=(taskset -c "$(<"$dir/hosts/$host.cores")")
        set -- nsenter -t "$(<"$dir/hosts/$host")" -n -u -i -m -p --wd="$PWD" -- "${cores[@]}" "$@"
    fi
    nsenter -t "$(<"$dir/head.pid")" -n -u -i -m -p --wd="$PWD" -- "$@"
}

hosts_up() { # NODES RATE DELAY OWN_CORES
    local i
    {
        echo "127.0.0.1 localhost"
        echo "10.77.0.1 head"
        for ((i = 1; i <= $1; i++)); do echo "10.77.0.$((10 + i)) n$i"; done
    } >"$dir/etc-hosts"
    # mpirun on head reaches nodes by: --mca plm_rsh_agent DIR/rsh
    cat >"$dir/rsh" <<RSH
#!/bin/sh
host=\$1
shift
exec nsenter -t "\$(cat "$dir/hosts/\$host")" -n -u -i -m -p --wd="\$PWD" -- env TMPDIR="$dir/tmp/\$host" sh -c "\$*"
RSH
    chmod +x "$dir/rsh"
    "$here/lib/boot-host" head "$dir" >"$dir/head.pid"
    if [[ -n $3 ]]; then
        start_switch "$1" "$2" "$3"
    else
        on head ip link add switch type bridge
        on head ip link set switch up
        on head ip addr add 10.77.0.1/24 dev switch
    fi
    [[ -z $2 || -n $3 ]] || echo "$2" >"$dir/hosts/rate"
    for ((i = 1; i <= $1; i++)); do
        [[ -z $4 ]] || cores_of "$i" "$1" >"$dir/hosts/n$i.cores"
        host_boot "n$i"
    done
}

# Slow cables: a switch in user space, because kernels often come without the delay of their own (netem).
start_switch() { # NODES RATE DELAY
    source "$here/../jobs/mpi.sh"
    local program=$here/../$build/release/cluster-switch i ports=()
    [[ -x $program ]] || die "--delay needs the build of gecko: swift build -c release"
    for ((i = 1; i <= $1; i++)); do ports+=("to-n$i"); done
    echo "${2:-as fast as the machine}, $3 one way" >"$dir/hosts/switch"
    on head setsid "$program" "${2:-none}" "$3" eth0 "${ports[@]}" </dev/null >>"$dir/log/switch.log" 2>&1 &
    for _ in $(seq 200); do
        ! on head test -e "/sys/class/net/to-n$1" || break
        kill -0 $! 2>/dev/null || die "the switch did not start: $(tail -n 1 "$dir/log/switch.log")"
        sleep 0.01
    done
    on head ip addr add 10.77.0.1/24 dev eth0
    on head ip link set eth0 up
}

# This machine's cores in equal parts; when there are more nodes than cores, one each, in turn.
cores_of() { # NODE NODES
    local all=() list range cores share
    list=$(taskset -cp $$ | sed 's/.*: //')
    for range in ${list//,/ }; do mapfile -t -O ${#all[@]} all < <(seq "${range%-*}" "${range#*-}"); done
    cores=${#all[@]}
    share=$((cores / $2))
    if ((share == 0)); then
        echo "${all[($1 - 1) % cores]}"
    else
        echo "${all[*]:($1 - 1) * share:share}" | tr ' ' ,
    fi
}

host_boot() {
    local i=${1#n} pid
    mkdir -p "$dir/tmp/$1"
    pid=$(on head "$here/lib/boot-host" "$1" "$dir")
    if [[ -e $dir/hosts/switch ]]; then
        on head ip link set "to-$1" netns "$pid" name eth0
    else
        on head ip link add "to-$1" type veth peer name eth0 netns "$pid"
        on head ip link set "to-$1" master switch up
    fi
    echo "$pid" >"$dir/hosts/$1"
    on "$1" ip addr add "10.77.0.$((10 + i))/24" dev eth0
    on "$1" ip link set eth0 up
    [[ ! -e $dir/hosts/rate ]] || host_link "$1" "$(<"$dir/hosts/rate")"
}

# The cable goes first, so that nobody hears of the end.
host_crash() {
    if [[ -e $dir/hosts/switch ]]; then
        # it would end with the host's network, and the switch keeps hold of it
        on head nsenter -t "$(<"$dir/hosts/$1")" -n ip link set eth0 netns 1 name "to-$1"
    else
        on head ip link set "to-$1" down
    fi
    on head kill -9 "$(<"$dir/hosts/$1")"
    rm "$dir/hosts/$1"
    # else orphaned sockets keep the dead host's network for a minute
    [[ -e $dir/hosts/switch ]] || on head ip link del "to-$1" 2>/dev/null || true
}

host_link() { # NODE RATE|none|up|down
    if [[ -e $dir/hosts/switch ]]; then
        [[ $2 == up || $2 == down ]] || die "with --delay the rate of a single cable cannot change"
        on "$1" ip link set eth0 "$2"
        return
    fi
    case $2 in
    up | down) on head ip link set "to-$1" "$2" ;;
    *)
        # a token bucket at both ends: one a direction
        on head tc qdisc del dev "to-$1" root 2>/dev/null || true
        on "$1" tc qdisc del dev eth0 root 2>/dev/null || true
        [[ $2 != none ]] || return 0
        on head tc qdisc add dev "to-$1" root tbf rate "$2" burst 64kb limit 4mb
        on "$1" tc qdisc add dev eth0 root tbf rate "$2" burst 64kb limit 4mb
        ;;
    esac
}

host_links() {
    local i rate
    [[ ! -e $dir/hosts/switch ]] || { echo "every cable: $(<"$dir/hosts/switch")"; return 0; }
    for ((i = 1; i <= $(<"$dir/nodes"); i++)); do
        host_is_up "n$i" || { echo "n$i is off"; continue; }
        rate=$(on head tc qdisc show dev "to-n$i" | sed -nE 's/.* rate ([^ ]+).*/\1/p')
        [[ -z $rate ]] || echo "n$i has a cable of $rate"
    done
}

hosts_down() {
    local pid
    [[ -e $dir/head.pid ]] || return 0
    pid=$(<"$dir/head.pid")
    [[ -n $pid ]] && is_head "$pid" || return 0
    kill -9 "$pid" 2>/dev/null || true
    for _ in $(seq 500); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.01
    done
    die "the first process of head ($pid) does not end"
}

# Process numbers are used again: after a restart of the machine another program may have this one.
is_head() { tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -q " head head $dir \$"; }
