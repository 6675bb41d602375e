# Hosts that are nothing but a slurmd of their own on 127.0.0.1: needs no right at all, and tests no network. All have this
# machine's host name. What belongs to the cluster is found by the path of its configuration in the processes' environment.

slurm_user=$(id -un)

host_configuration() {
    local name
    name=$(hostname)
    echo "SlurmctldHost=$name(127.0.0.1)"
    echo "SlurmctldPort=$(<"$dir/hosts/port")"
    echo "NodeName=n[1-$1] NodeHostname=$name NodeAddr=127.0.0.1 Port=[$(($(<"$dir/hosts/port") + 1))-$(($(<"$dir/hosts/port") + $1))]"
}

# Open MPI names its shared memory after host and local rank, which nodes have in common here.
host_environment() {
    echo "export OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo"
}

hosts_alive() { [[ -e $dir/run/slurmctld.pid ]] && is_daemon "$(<"$dir/run/slurmctld.pid")"; }

host_is_up() { [[ -e $dir/run/$1.pid ]] && is_daemon "$(<"$dir/run/$1.pid")"; }

on() {
    shift
    "$@"
}

hosts_up() { # NODES
    echo "$(free_ports "$1")" >"$dir/hosts/port"
}

# The first of NODES + 1 ports that nobody listens on. Another cluster may come up at the same time: each looks elsewhere first.
free_ports() {
    local taken first i
    taken=$(ss -Htln | awk '{ sub(/.*:/, "", $4); print $4 }')
    for ((i = 0; i < 300; i++)); do
        first=$((20000 + ($$ + i) % 300 * 40))
        [[ -n $(comm -12 <(sort <<<"$taken") <(seq "$first" $((first + $1)) | sort)) ]] || { echo "$first"; return; }
    done
    die "no free ports between 20000 and 32000"
}

host_boot() { mkdir -p "$dir/tmp/$1"; }

host_crash() {
    end_processes "$1" "$(<"$dir/run/$1.pid")"
    rm -f "$dir/run/$1.pid"
}

host_link() { die "plain nodes have no cables"; }

host_links() { :; }

hosts_down() {
    local daemons
    daemons=$(cat "$dir"/run/*.pid 2>/dev/null) || true
    end_processes '.*' "$daemons"
}

# Kills the jobs' processes of a node, and those of the daemons that are still the daemons.
end_processes() { # NODE "DAEMONS"
    local all pid
    for _ in $(seq 100); do
        all=$(processes_of "$1")
        for pid in $2; do ! is_daemon "$pid" || all+=" $pid"; done
        [[ $all == *[0-9]* ]] || return 0
        kill -9 $all 2>/dev/null || true
        sleep 0.05
    done
    die "some processes do not end: ${all//$'\n'/ }"
}

# A number may be another program's by now, or that of one that has ended and is not cleared away: that has no environment left.
is_daemon() { grep -qsz "=$dir/" "/proc/$1/environ" 2>/dev/null; }

# The jobs' processes on a node, and the slurmstepds that look after them, known by the log they hold.
processes_of() { # NODE, as a pattern
    grep -lszx "SLURM_CONF=$dir/slurm.conf" /proc/[0-9]*/environ 2>/dev/null |
        xargs -r grep -lszx "SLURMD_NODENAME=$1" 2>/dev/null | cut -d/ -f3 || true
    local pid
    for pid in $(pgrep -f '^slurmstepd: '); do
        ! readlink "/proc/$pid/fd/"* 2>/dev/null | grep -qx "$dir/log/$1.log" || echo "$pid"
    done
}
