# A run that is warned, requeued, or loses a node, and a chain of jobs, end with the parameters of a run that was left alone.

steps=(--training.steps 160 --checkpoint.every 10 --training.log_every 10)

# The number of the last step in a run's metrics.
last_step() { sed -nE 's/^\{"step":([0-9]+),.*/\1/p' "$1/metrics.jsonl" 2>/dev/null | tail -n 1 || true; }

# Waits until a run has gone STEPS further than it is now.
await_steps() { # RUN STEPS SECONDS
    local begin end=$((SECONDS + $3))
    begin=$(last_step "$1")
    until (($(last_step "$1" || true) + 0 >= ${begin:-0} + $2)); do
        ((SECONDS < end)) || { tail -n 5 runs/logs/*/rank-0.log; on_head squeue; fail "$1 is still at step $(last_step "$1") after $3 s"; }
        sleep 0.1
    done
}

# Waits until the job begins for the N-th time again.
await_restart() { # JOB N
    await "gecko-$1.log" "restart $2," 60
}

# Interrupts a job in each of the given ways, waits until it goes on each time and has ended, and compares.
interrupt() { # NAME WAY...
    local run=$1 job restart=0 log how
    shift
    job=$(submit --nodes 3 jobs/requeue.sbatch run.toml "${steps[@]}" --run.directory "$run")
    log=gecko-$job.log
    for how in "$@"; do
        await_steps "$run" 15 40
        if [[ $how == fail ]]; then
            cluster/dev fail "$cluster" n2
            # The administrator is faster than Slurm's time-out.
            on_head scontrol update nodename=n2 state=down reason=lost
            cluster/dev boot "$cluster" n2
        else
            on_head $how "$job"
        fi
        restart=$((restart + 1))
        await_restart "$job" "$restart"
    done
    await_end "$job" 60
    contains "$log" '^ended +status 0'
    equal "begins" "$(grep -c '^job  ' "$log")" $((restart + 1))
    equal "sha256" "$(digest "runs/logs/$job/rank-0.log")" "$(expected "${steps[@]}")"
}

test_interrupted_a_job_that_is_requeued_or_loses_a_node_ends_like_one_left_alone() {
    interrupt requeued "scontrol requeue" fail
}

test_interrupted_a_job_that_is_warned_saves_requeues_itself_and_ends_like_one_left_alone() {
    interrupt warned "scancel -b -s USR1" "scancel -s USR1"
    local log
    log=$(ls -t gecko-*.log | head -n 1)
    contains "$log" '^warned +'
    equal "times it put itself into the queue" "$(grep -c '^saved .* back into the queue' "$log")" 2
    # Nothing is done twice: a turn goes on where the one before it stopped.
    equal "steps in metrics.jsonl" "$(wc -l <warned/metrics.jsonl)" 160
}

test_interrupted_a_chain_of_jobs_ends_like_one_job() {
    local first next
    first=$(submit --nodes 2 jobs/chain.sbatch run.toml "${steps[@]}" --run.directory chain)
    await_steps chain 15 40
    next=$(sed -nE 's/^next +job ([0-9]+) goes on.*/\1/p' "gecko-chain-$first.log")
    on_head scancel -s USR1 "$first"
    await_end "$first" 30
    await_end "$next" 60
    contains "gecko-chain-$first.log" '^ended +status 75'
    contains "gecko-chain-$next.log" '^next +job [0-9]+ is not needed'
    equal "jobs in the queue" "$(on_head squeue -h | wc -l)" 0
    equal "sha256" "$(digest "runs/logs/$next/rank-0.log")" "$(expected "${steps[@]}")"
}

test_interrupted_a_cancelled_job_saves_and_does_not_come_back() {
    local job
    job=$(submit --nodes 2 jobs/requeue.sbatch run.toml --training.steps 4000 --checkpoint.every 2000 --run.directory cancelled)
    await_steps cancelled 15 40
    on_head scancel "$job"
    await_end "$job" 30
    [[ -n $(ls cancelled/checkpoints/step-*/manifest.json) ]] || fail "it left no checkpoint"
    on_head scontrol show job "$job" >state
    contains state 'JobState=CANCELLED'
}
