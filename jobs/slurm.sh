# What the job scripts share: settings, banner, start. They source it in gecko's folder, from which they are submitted.
set -euo pipefail

source "${BASH_SOURCE[0]%/*}/mpi.sh"   # where gecko is, and how srun starts it

# Slurm's other fences let MPI_Init crash now and then when a node has several ranks: they don't wait for all nodes.
export SLURM_PMIX_FENCE=ring

# Says what runs where. Logs go to a folder of the job, one a rank; a restart writes on.
banner() {
    [[ -x $gecko ]] || { echo "job: no program at $gecko: build it (bash jobs/setup.sh), submit from gecko's folder, or set GECKO" >&2; exit 1; }
    logs=runs/logs/${SLURM_ARRAY_JOB_ID:+$SLURM_ARRAY_JOB_ID-}${SLURM_ARRAY_TASK_ID:-$SLURM_JOB_ID}
    mkdir -p "$logs"
    cat <<TEXT
job       $SLURM_JOB_NAME, number $SLURM_JOB_ID${SLURM_ARRAY_TASK_ID:+, part $SLURM_ARRAY_TASK_ID}, restart ${SLURM_RESTART_COUNT:-0}, $(date '+%F %T')
nodes     $SLURM_JOB_NUM_NODES ($SLURM_JOB_NODELIST), $((SLURM_NTASKS / SLURM_JOB_NUM_NODES)) rank(s) each, $(squeue -h -j "$SLURM_JOB_ID" -o %L | head -n 1) left
train     $*
log       $PWD/$logs/rank-0.log
TEXT
}

# One rank a task. Neighbouring stages are on neighbouring ranks (block) and gecko pins its threads itself. A minute after the first rank
# has left, the others are ended: they would wait for a dead one for ever. (Not at once, --kill-on-bad-exit=1: ranks that have saved leave with
# 75 one after the other.)
on_ranks=(srun --mpi="$(mpi_slurm "$gecko")" --kill-on-bad-exit=0 --wait=60 --distribution=block --cpu-bind=none)

# Starts the ranks in the background and leaves srun's process number in `step`.
start() {
    "${on_ranks[@]}" --open-mode=append --output="$logs/rank-%t.log" "$gecko" train "$@" &
    step=$!
}

# Waits for the end of what was started, and has its status.
await() {
    while kill -0 "$step" 2>/dev/null; do wait "$step" || true; done   # a signal ends a wait
    wait "$step"
}

train() {
    start "$@"
    await
}

# How it ended, in the job's own log.
finish() { # STATUS
    # srun has 0 also for a step that could not be launched.
    if (($1 == 0)) && [[ $(tail -n 1 "$logs/rank-0.log" 2>/dev/null) != "parameters sha256 "* ]]; then set -- 1; fi
    echo "ended     status $1, $(date '+%F %T'): $(tail -n 1 "$logs/rank-0.log" 2>/dev/null)"
    exit "$1"
}
