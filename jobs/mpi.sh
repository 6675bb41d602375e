# The MPI that gecko was built with: where its build is, and how its programs are started. The scripts source this file;
# it alone knows what Open MPI's launcher and those of MPICH and its kin do differently.
#
# GECKO_MPI       openmpi (if not given) or mpich, or a name of your own with one of the next two (site if not given):
#                 every MPI but Open MPI has a build of its own, in .build-NAME
# GECKO_MPICC     jobs/setup.sh builds with what this compiler wrapper says, such as a module's mpicc
# GECKO_MPI_PKGCONFIG   jobs/setup.sh builds with the pkg-config package of this name
# GECKO           another program than that build's
# GECKO_MPIEXEC   another launcher than the one that is found on PATH
# GECKO_SRUN_MPI  what srun's --mpi gets; if not given, pmix for Open MPI and pmi2 for MPICH and its kin

[[ -n ${GECKO_MPI:-} || -z ${GECKO_MPICC:-}${GECKO_MPI_PKGCONFIG:-} ]] || export GECKO_MPI=site
[[ ${GECKO_MPI:-openmpi} =~ ^[A-Za-z0-9_-]+$ ]] || {
    echo "GECKO_MPI='$GECKO_MPI': expected openmpi, mpich, or a name of letters, digits, - and _" >&2
    exit 1
}
build=.build
[[ ${GECKO_MPI:-openmpi} == openmpi ]] || build=.build-$GECKO_MPI
gecko=${GECKO:-$build/release/gecko}

# Whether a program was built with openmpi or mpich, which here stands for all of its ABI. A script around the program
# doesn't tell.
mpi_of() { # PROGRAM
    local libraries
    libraries=$(ldd "$1" 2>/dev/null || true)
    if grep -qE 'libmpi\.so\.[4-9][0-9]' <<<"$libraries"; then
        echo openmpi
    elif grep -qE 'libmpi[a-z0-9_]*\.so\.12' <<<"$libraries"; then
        echo mpich
    elif [[ ${GECKO_MPI:-openmpi} == openmpi ]]; then
        echo openmpi
    else
        echo mpich
    fi
}

# What srun's --mpi gets for a program.
mpi_slurm() { # PROGRAM
    local kind
    kind=$(mpi_of "$1")
    [[ $kind == openmpi ]] && kind=pmix || kind=pmi2
    echo "${GECKO_SRUN_MPI:-$kind}"
}

# Whether a command is a launcher of MPICH's kind.
mpi_is_hydra() { # COMMAND ...
    [[ ${1##*/} == mpi* && $("$1" --version 2>&1 || true) != *"Open MPI"* ]]
}

# Leaves in `launcher` how a program is started on so many ranks, or on as many as an allocation has. gecko pins its
# threads itself.
mpi_launcher() { # PROGRAM [RANKS]
    local kind name names=(mpirun.openmpi mpirun)
    kind=$(mpi_of "$1")
    [[ $kind == openmpi ]] || names=(mpiexec.mpich mpiexec.hydra mpiexec mpirun)
    [[ -z ${GECKO_MPIEXEC:-} ]] || names=("$GECKO_MPIEXEC")
    launcher=()
    for name in "${names[@]}"; do
        command -v "$name" >/dev/null || continue
        if mpi_is_hydra "$name"; then [[ $kind == mpich ]] || continue; else [[ $kind == openmpi ]] || continue; fi
        launcher=("$name")
        break
    done
    ((${#launcher[@]})) || {
        echo "mpi: $1 was built with $kind, whose launcher (${names[*]}) is not on PATH;" \
            "GECKO_MPIEXEC may name it" >&2
        return 1
    }
    mpi_environment
    # Open MPI counts only whole cores, and would refuse two ranks on one core of two threads.
    if [[ $kind == openmpi ]]; then
        launcher+=(--oversubscribe --bind-to none)
    else
        launcher+=(-bind-to none)
    fi
    [[ -z ${2:-} ]] || launcher+=(-np "$2")
}

# Adds the nodes of a hostfile (a line a node: NAME slots=N) to `launcher`, by slot: neighbouring ranks, and with them
# neighbouring stages, share a node. What ranks write goes to the terminal and to files in a folder, if there is one; `log` names them.
mpi_hosts() { # HOSTFILE [FOLDER]
    log='here: no folder for it can be made'
    if ! mpi_is_hydra "${launcher[0]}"; then
        launcher+=(--hostfile "$1" --map-by slot --wdir "$PWD")
        [[ -z $2 ]] || launcher+=(--output-filename "$2") log="$2/1/rank.*/stdout"
        return
    fi
    local slots hosts
    hosts=${2:-"$(mktemp -d)"}/hosts.hydra
    sed -E 's/#.*//; s/[[:space:]]+slots=([0-9]+).*/:\1/; s/[[:space:]]+//g; /^$/d' "$1" >"$hosts"
    slots=$(awk -F: '{ all += $2 == "" ? 1 : $2 } END { print all + 0 }' "$hosts")
    launcher+=(-f "$hosts" -wdir "$PWD" -n "$slots")
    [[ -n $2 ]] || return 0
    # Its own way to files would leave the terminal empty.
    log=$2/output
    exec > >(exec tee -p "$log") 2>&1
}

# What launchers want to be told where one is root or in a container. One library's variables mean nothing to the other.
mpi_environment() {
    if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
    # Containers often forbid the system call by which Open MPI copies between processes.
    if [[ -e /.dockerenv || -e /run/.containerenv ]]; then export OMPI_MCA_btl_vader_single_copy_mechanism=none; fi
}

# The exit status of a launcher as others have it: MPICH's gives the number of the signal that ended a rank, without the
# 128 more.
mpi_status() { # STATUS COMMAND ...
    if (($1 >= 4 && $1 <= 15)) && mpi_is_hydra "${@:2}"; then echo $((128 + $1)); else echo "$1"; fi
}

# The process of a rank on this machine, once it has begun.
mpi_rank_pid() { # RANK LAUNCHER'S-PROCESS
    local try child more all
    for ((try = 0; try < 100; try++)); do
        # Children of the launcher, or of the helper that it has on each node.
        all=$(cat "/proc/$2/task/$2/children" 2>/dev/null || true)
        more=''
        for child in $all; do more+=" $(cat "/proc/$child/task/$child/children" 2>/dev/null || true)"; done
        for child in $all $more; do
            if tr '\0' '\n' 2>/dev/null <"/proc/$child/environ" | grep -qxE "(OMPI_COMM_WORLD_RANK|PMI_RANK)=$1"; then
                echo "$child"
                return
            fi
        done
        sleep 0.02
    done
}
