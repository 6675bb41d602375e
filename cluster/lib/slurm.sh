# Slurm on the hosts of a virtual cluster. Sourced by cluster/dev, beside a backend that knows hosts.
# Backends define: hosts_up, hosts_down, hosts_alive, on HOST COMMAND..., host_is_up, host_crash, host_boot, host_link,
# what slurm.conf says of where hosts are (host_configuration NODES), and host_environment.

need_programs() {
    local missing=()
    for program in slurmctld slurmd sbatch munged ip unshare nsenter; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    ((${#missing[@]} == 0)) || die "missing: ${missing[*]}. Install them: bash cluster/setup.sh (Debian, Ubuntu)"
}

slurm_configuration() { # NODES CPUS
    cat <<CONF
ClusterName=dev
SlurmUser=$slurm_user
SlurmdUser=$slurm_user
AuthType=auth/munge
# cred_expire is also how long a requeued job waits before it may start again: 120 s if not set, and 5 is the least
AuthInfo=socket=$dir/munge/socket,cred_expire=5
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
# PMIx keeps a folder per job here, which nodes must not share
TmpFS=$dir/tmp/%n
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/%n.log
# no control groups: works in containers
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/log/finished-jobs.txt
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,bf_interval=2,sched_min_interval=0
MpiDefault=pmix
TaskProlog=$dir/taskprolog
ReturnToService=2
# a node is given up after SlurmdTimeout seconds of silence; SIGKILL comes KillWait seconds after SIGTERM
SlurmdTimeout=15
KillWait=10
# more CPUs and memory than the machine has are fine
SlurmdParameters=config_overrides
$(host_configuration "$1") CPUs=$2 Sockets=1 CoresPerSocket=$2 ThreadsPerCore=1 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=60 OverSubscribe=NO State=UP
CONF
}

# What commands on the cluster get in their environment.
slurm_environment() {
    cat <<ENV
export SLURM_CONF=$dir/slurm.conf TMPDIR=$dir/tmp/head
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# nodes share this machine's cores: no binding (each would take core 0), and waiting ranks give way
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
# of the ways Open MPI knows, the ones that these hosts have
export OMPI_MCA_btl_vader_single_copy_mechanism=none
$(host_environment)
ENV
}

slurm_up() { # NODES CPUS
    mkdir -p "$dir"/{munge,state,spool}
    chmod 755 "$dir"
    chmod 1777 "$dir/tmp/head"
    slurm_configuration "$@" >"$dir/slurm.conf"
    # slurmd always loads a plugin for control groups; this one, unused, needs none
    echo "CgroupPlugin=cgroup/v1" >"$dir/cgroup.conf"
    # With the other fences MPI_Init crashes now and then when a node has two ranks: the tree does not wait for other nodes.
    echo "PMIxCollFence=ring" >"$dir/mpi.conf"
    # Open MPI names its session folders after node and process number, both of which recur: a TMPDIR for each node
    printf '#!/bin/sh\necho "export TMPDIR=%s/tmp/$SLURMD_NODENAME"\n' "$dir" >"$dir/taskprolog"
    chmod +x "$dir/taskprolog"
    slurm_environment >"$dir/env.new"
    head -c 128 /dev/urandom >"$dir/munge/key"
    chmod 400 "$dir/munge/key"
    source "$dir/env.new"
    # --force: folders above may belong to somebody else
    on head munged --force --key-file "$dir/munge/key" --socket "$dir/munge/socket" --pid-file "$dir/run/munged.pid" \
        --log-file "$dir/log/munged.log" --seed-file "$dir/munge/seed" --num-threads 2 2>>"$dir/log/munged.err"
    on head slurmctld 2>>"$dir/log/slurmctld.err"
    local i
    for ((i = 1; i <= $1; i++)); do start_slurmd "n$i"; done
    for _ in $(seq 200); do
        if [[ $(on head sinfo -h -N -o %T 2>/dev/null | grep -c '^idle$') == "$1" ]]; then
            mv "$dir/env.new" "$dir/env"
            return
        fi
        sleep 0.1
    done
    die "not every node became idle within 20 s"
}

start_slurmd() { # NODE: with a spool, a temporary folder and a log of its own
    mkdir -p "$dir/spool/$1" "$dir/tmp/$1"
    chmod 1777 "$dir/tmp/$1"
    on "$1" slurmd -N "$1" 2>>"$dir/log/$1.err"
}

status() {
    on head sinfo -N -o '%6N %12T %5c %E'
    echo
    on head squeue -o '%7i %20j %10T %10M %10L %5D %R'
    echo
    echo "$(on head slurmctld -V), nodes are $backend; logs in $dir/log"
    host_links
}

fail_node() {
    host_is_up "$1" || die "node $1 is off already"
    host_crash "$1"
    # A node without a disk of its own. What a dead step left there (PMIx: a folder, a socket) would keep the same step from starting again.
    rm -rf "$dir/tmp/$1" "$dir/spool/$1"
}

boot_node() {
    ! host_is_up "$1" || die "node $1 is up"
    host_boot "$1"
    start_slurmd "$1"
}
