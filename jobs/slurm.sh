# What the job scripts share: settings, banner, start. They source it in gecko's folder, from which they are submitted.
set -euo pipefail

gecko=${GECKO:-.build/release/gecko}

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

# One rank a task, neighbouring stages on neighbouring ranks (block), cores left for gecko to pin; a rank that fails ends the others.
train() {
    srun --mpi=pmix --kill-on-bad-exit=1 --distribution=block --cpu-bind=none \
        --open-mode=append --output="$logs/rank-%t.log" "$gecko" train "$@"
}

# How it ended, in the job's own log.
finish() { # STATUS
    echo "ended     status $1, $(date '+%F %T'): $(tail -n 1 "$logs/rank-0.log" 2>/dev/null)"
    exit "$1"
}
