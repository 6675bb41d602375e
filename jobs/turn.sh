# A turn of a job: where the ranks write, how they start, are warned and end, and how the job goes back into the
# queue. Whatever the disk or Slurm's programs refuse, the ranks are started, and told; signals are passed on first
# and spoken of afterwards.

# Slurm's other fences let MPI_Init crash now and then when a node has several ranks: they don't wait for all nodes.
export SLURM_PMIX_FENCE=ring

# One rank a task; `srun_mpi` says what starts the MPI that gecko was built with. Neighbouring stages are on
# neighbouring ranks (block) and gecko pins its threads itself. A minute after the first rank has left, the others are
# ended: they would wait for a dead one for ever. (Not at once, --kill-on-bad-exit=1: ranks that have saved leave with
# 75 one after the other.)
on_ranks=(srun --mpi="$srun_mpi" --kill-on-bad-exit=0 --wait=60 --distribution=block --cpu-bind=none)

step='' warned='' told='' stopped=''

# Where the ranks write, one log each: in FOLDER; where that can't be written, each in /tmp of its node; or nowhere. A
# restart writes on.
choose_logs() { # FOLDER
    mkdir -p "$1" 2>/dev/null || true
    for log in "$1/rank-0.log" "/tmp/gecko-job-$SLURM_JOB_ID-rank-0.log"; do
        { true >>"$log"; } 2>/dev/null || continue
        # Slurm fills in %j and the like: a % of the folder's name is written twice.
        pattern=${log%0.log}
        pattern=${pattern//\%/%%}%t.log
        return
    done
    log=/dev/null pattern=/dev/null
}

# What runs where, and where its log is.
tell_beginning() {
    local left ranks=${SLURM_NTASKS:-} nodes=${SLURM_JOB_NUM_NODES:-}
    left=$(timeout 20 squeue -h -j "$SLURM_JOB_ID" -o %L 2>/dev/null) || left=''
    [[ $ranks =~ ^[0-9]+$ && $nodes =~ ^[1-9][0-9]*$ ]] && ranks=$((ranks / nodes)) || ranks='?'
    look_at_clock
    tell "job       ${SLURM_JOB_NAME:-?}, number $SLURM_JOB_ID${SLURM_ARRAY_TASK_ID:+, part $SLURM_ARRAY_TASK_ID}, restart ${SLURM_RESTART_COUNT:-0}, $now"
    tell "nodes     ${nodes:-?} (${SLURM_JOB_NODELIST:-?}), $ranks rank(s) each, ${left%%$'\n'*} left"
}

tell_log() { # FOLDER
    case $log in
        /dev/null) tell "log       none: neither $1 nor /tmp can be written" ;;
        /tmp/gecko-job-*) tell "log       $log: $1 cannot be written; each rank's is in /tmp of its own node" ;;
        /*) tell "log       $log" ;;
        *) tell "log       $PWD/$log" ;;
    esac
}

# Signals are for the ranks, from here on.
listen() {
    trap 'warned=1; pass_on; speak warned "the ranks are told to save"' USR1 USR2 HUP XCPU
    # Slurm has told the ranks itself.
    trap 'stopped=1; speak stopped "Slurm ends this turn (cancelled, preempted, requeued, a lost node or the time limit)"' TERM
}

# Asks the ranks to save, once: a second signal would end them at once.
pass_on() {
    [[ -z $step || -n $told ]] || { told=1 && kill -s USR1 "$step" 2>/dev/null || true; } # srun passes it on to every rank
}

speak() { # WORD TEXT
    local text
    look_at_clock
    printf -v text '%-9s %s: %s' "$1" "$now" "$2"
    tell "$text"
}

# Starts the ranks in the background and leaves srun's process number in `step`; none when a signal came before.
start() { # gecko's arguments
    [[ -z $warned$stopped ]] || return 0
    "${on_ranks[@]}" --open-mode=append --output="$pattern" "$gecko" "$@" &
    step=$!
    # For the signal that came in between.
    [[ -z $warned ]] || pass_on
}

# Waits for the end of what was started, and has its status.
await() {
    [[ -n $step ]] || return 75 # nothing was begun
    while kill -0 "$step" 2>/dev/null; do wait "$step" || true; done # a signal ends a wait
    wait "$step"
}

# How it ended, in the job's own log; leaves it in `status`.
tell_end() { # STATUS
    local last='' known=''
    status=$1
    [[ $log == /dev/null ]] || { last=$(tail -n 1 "$log" 2>/dev/null) && known=1; } || true
    # srun has 0 also for a step that could not be launched. A log that can be neither read nor written doesn't tell.
    if ((status == 0)) && [[ -n $known && $last != "parameters sha256 "* ]]; then
        { echo "job: srun ended with 0, but the run is not finished" >>"$log"; } 2>/dev/null && status=1
    fi
    look_at_clock
    tell "ended     status $status, $now: ${last:-(no line of a log to show)}"
}

# Whether the state is saved and the job is still ours to requeue: not when somebody cancelled it, or Slurm requeued
# it before.
goes_on() {
    # 138: the warning came before the ranks could listen.
    ((status == 75 || (status == 138 && ${warned:-0}))) || return 1
    local state
    state=$(timeout 60 scontrol show job "$SLURM_JOB_ID" 2>/dev/null) || state=''
    [[ $state == *JobState=RUNNING* || (-z $state && -z $stopped) ]]
}

# Puts the job back into the queue. Slurm writes CANCELLED ... DUE TO JOB REQUEUE into the log then, and ends this
# script.
requeue() {
    local i
    trap '' TERM
    speak saved "back into the queue, and on from there (CANCELLED DUE TO JOB REQUEUE is Slurm's word for it)"
    for ((i = 0; i < 6; i++)); do
        ((i == 0)) || sleep 5 || true
        scontrol requeue "$SLURM_JOB_ID" && return
    done
    tell "saved     but scontrol could not requeue the job: submit it again, and it goes on"
}
