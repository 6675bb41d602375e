# A run that is warned, requeued, or loses a node ends with the parameters of one that was left alone. Its interruptions come
# one after the other in one job, whose log tells the story.

steps=(--training.steps 240 --checkpoint.every 10 --training.log_every 10)

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

test_a_job_that_is_warned_requeued_and_loses_a_node_ends_like_one_left_alone() {
    local job restart=0 log
    job=$(submit --nodes 3 jobs/requeue.sbatch run.toml "${steps[@]}" --run.directory requeue)
    log=gecko-$job.log
    local how
    for how in "scancel -b -s USR1 $job" "scancel -s USR1 $job" "scontrol requeue $job" fail; do
        await_steps requeue 15 40
        if [[ $how == fail ]]; then
            cluster/dev fail "$cluster" n2
            # The administrator is faster than Slurm's time-out.
            on_head scontrol update nodename=n2 state=down reason=lost
            cluster/dev boot "$cluster" n2
        else
            on_head $how
        fi
        restart=$((restart + 1))
        await_restart "$job" "$restart"
    done
    await_end "$job" 60
    contains "$log" '^warned +'
    contains "$log" '^saved +.* back into the queue'
    contains "$log" '^ended +status 0'
    equal "begins" "$(grep -c '^job  ' "$log")" 5
    equal "sha256" "$(digest "runs/logs/$job/rank-0.log")" "$(expected "${steps[@]}")"
}

test_a_chain_of_jobs_ends_like_one_job() {
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

test_a_cancelled_job_saves_and_does_not_come_back() {
    local job
    job=$(submit --nodes 2 jobs/requeue.sbatch run.toml --training.steps 4000 --checkpoint.every 2000 --run.directory cancelled)
    await_steps cancelled 15 40
    on_head scancel "$job"
    await_end "$job" 30
    [[ -n $(ls cancelled/checkpoints/step-*/manifest.json) ]] || fail "it left no checkpoint"
    on_head scontrol show job "$job" >state
    contains state 'JobState=CANCELLED'
}
