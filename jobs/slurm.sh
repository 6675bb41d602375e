# What the job scripts share: help, settings, banner, start, end. They source it in gecko's folder, from which they
# are submitted.
set -euo pipefail
source "${BASH_SOURCE[0]%/*}/tell.sh"
source "${BASH_SOURCE[0]%/*}/mpi.sh" # where gecko is, and how srun starts it
srun_mpi=$(mpi_slurm "$gecko")
source "${BASH_SOURCE[0]%/*}/turn.sh"

# A job script that somebody runs by hand.
if [[ $0 == *.sbatch ]]; then
    if [[ ${1:-} == --help || ${1:-} == -h ]]; then
        sed -n '2,/^#SBATCH/{/^#SBATCH/!s/^# \{0,1\}//p}' "$0"
        exit
    fi
    [[ -n ${SLURM_JOB_ID:-} ]] || { tell "${0##*/}: this is no Slurm job: submit me with sbatch (--help says how)" >&2; exit 64; }
fi

# Says what runs where. Logs go to a folder of the job, one a rank; a restart writes on.
banner() {
    listen
    [[ -f $gecko && -x $gecko ]] || { tell "job: no program at $gecko: build it (bash jobs/setup.sh), submit from gecko's folder, or set GECKO" >&2; exit 1; }
    local logs=runs/logs/${SLURM_ARRAY_JOB_ID:+$SLURM_ARRAY_JOB_ID-}${SLURM_ARRAY_TASK_ID:-$SLURM_JOB_ID}
    choose_logs "$logs"
    tell_beginning
    tell "train     $*"
    tell_log "$logs"
}

train() {
    start train "$@"
    await
}

# How it ended, in the job's own log.
finish() { # STATUS
    tell_end "$1"
    exit "$status"
}
