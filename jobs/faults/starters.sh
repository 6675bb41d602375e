# More than one start of a run, and what earlier ones left in its folder.

kind second-run 5 "the same command while the first runs: refused, 1" second_run
kind second-run-same-checkpoints 4 "another run.directory, the same checkpoint.directory: refused, 1" \
    second_run_same_checkpoints
kind checkpoints-of-another-run 4 \
    "they lie in the checkpoint.directory of a new run: refused, 1, and nothing of them is touched" \
    checkpoints_of_another_run
kind run-id-lost 3 "the run's identity is missing or empty: it is known by its checkpoints" run_id_lost
kind two-at-once 6 "the same command twice in the same moment: one trains, the other is refused, 1" two_at_once
kind stale-lock 4 "a dead run's lock file, with whatever it holds: no hindrance" stale_lock

# A run that stands still while another command is tried.
meet() { # SETTINGS ...
    ahead
    start "gradients:$step:0:stop"
    until_so is_stopped "$(rank_pid 0)" || fail "the first run never came to step $step"
    other=$pid log=$log.second
    leg '' "$@"
}

part() {
    log=${log%.second} pid=$other other=''
    if [[ $mode == alone ]]; then send KILL "$pid" || true; else send KILL "$(rank_pid 0)" || true; fi
    finish
}

second_run() {
    life either
    while next_fault; do
        meet
        hit "in the same folder, which is at step $step" 1
        told "another run is under way there: process"
        part
    done
    settle
}

second_run_same_checkpoints() {
    life either --checkpoint.directory @.checkpoints
    while next_fault; do
        meet --run.directory "$run.b"
        hit "the first one is at step $step" 1
        told "another run is under way there: process"
        part
    done
    settle
}

two_at_once() {
    local later refused
    while next_fault; do
        # Long enough that the second one comes while the first is at work, whatever their launchers take.
        life either
        roll 60 && step=$((400 + rolled))
        start "step:$step"
        other=$pid log=$log.second
        start "step:$step"
        finish
        later=$status log=${log%.second} pid=$other other=''
        finish
        # The one that trained died of the kill.
        refused=$later
        ((later != 137)) || { refused=$status status=$later; }
        # One that was over before the other one came: they were not there at once.
        ((refused != 137)) || { settle && continue; }
        hit "died before step $((step + 1))" 137
        ((refused == 1)) || fail "the other one ended with $refused"
        settle
    done
}

stale_lock() {
    life either
    leg step:60 && step=60
    while next_fault; do
        ahead
        pick gone empty alive noise
        case $picked in
            gone) rm "$run/run.lock" ;;
            empty) : >"$run/run.lock" ;;
            alive) echo "process 1 on $(uname -n), since 2026-01-01 00:00:00 +0000" >"$run/run.lock" ;;
            noise) head -c 5000 /dev/urandom >"$run/run.lock" ;;
        esac
        leg "step:$step"
        hit "$picked" 137
    done
    settle
}

checkpoints_of_another_run() {
    local before
    life either --checkpoint.directory @.checkpoints
    while next_fault; do
        ahead && step=$((step + 20))
        leg "step:$step"
        before=$(in_folder "$run.checkpoints")
        leg '' --run.directory "$run.b"
        hit "a new run beside one at step $step" 1
        told "it holds the checkpoints of the run in $run"
        [[ $(in_folder "$run.checkpoints") == "$before" ]] || fail "something in the folder has changed"
    done
    settle
}

run_id_lost() {
    life either
    leg step:60 && step=60
    while next_fault; do
        ahead
        rm "$run/run.id"
        leg "step:$step"
        hit "before step $((step + 1))" 137
    done
    settle
}
