# Processes that are killed.

kind kill-process 16 "SIGKILL at random moments" at_random alone 137 to_command KILL
kind kill-one-rank 12 "SIGKILL of one of two ranks at random moments" kill_one_rank
kind kill-both-ranks 4 "SIGKILL of both ranks at random moments" at_random mpi 137 to_every_rank KILL
kind kill-the-launcher 6 "SIGKILL of mpirun or mpiexec: its ranks end by themselves" kill_the_launcher
kind kill-beside-a-stopped 4 "a rank is stopped, then the other one is killed: both are gone" kill_beside_a_stopped
kind kill-at-the-start 3 "before anything" kill_at_the_start
kind kill-in-a-step 10 "before a step, or when its gradients are complete" kill_at_points step gradients
kind kill-before-writing 6 "the state is copied, nothing is on disk" kill_at_points snapshot-taken part-begin
kind kill-during-a-write 8 "half a file, a file not flushed, a file without its name" \
    kill_at_points part-half part-written part-flushed
kind kill-between-writes 6 "this rank's files are durable, others' may not be" \
    kill_at_points part-durable manifest-begin
kind kill-before-the-manifest 6 "half a manifest, one without its name" kill_at_points manifest-half manifest-flushed
kind kill-after-the-manifest 4 "before anything old is removed" kill_at_points manifest-durable
kind kill-during-clean-up 8 "before, in the middle of, and after the removal of an old checkpoint" kill_at_points \
    cleanup-begin cleanup-renamed cleanup-half cleanup-done
kind kill-during-an-evaluation 4 "between its pieces" kill_during_an_evaluation
kind kill-at-the-end 5 "all steps are done: before the sample, or before the model is written" kill_at_the_end
kind kill-during-resume 6 "the checkpoint is chosen, or loaded" kill_during_resume

# The newest checkpoint that is whole, or the one before it (2): a run that was killed may leave half of one.
newest() {
    local manifest
    manifest=$(ls "$run"/checkpoints/step-*/manifest.json 2>/dev/null | tail -n "${1:-1}" | head -n 1)
    echo "${manifest%/manifest.json}"
}

step_of() { basename "$1" | sed 's/step-0*//'; }

# One that dies before MPICH has begun takes the other with it, by a SIGTERM of the launcher's.
kill_one_rank() { at_random mpi "137 143" to_a_rank KILL; }

kill_at_points() { # POINT ...
    local point rank
    life either
    # A third checkpoint, so that there is one to remove.
    [[ $1 != cleanup-* ]] || step=40
    while next_fault; do
        if [[ $1 == step ]]; then ahead; else ahead_checkpoint; fi
        pick "$@" && point=$picked
        roll 2 && rank=$rolled
        case $point in manifest-* | cleanup-* | step) rank='*' ;; esac
        leg "$point:$step:$rank"
        hit "$point of step $step, rank $rank" 137
    done
    settle
}

kill_during_resume() {
    life either
    leg "step:$((step + 60))"
    while next_fault; do
        pick resume-chosen resume-loaded
        step=$(step_of "$(newest)")
        leg "$picked:$step:*"
        hit "$picked" 137
    done
    settle
}

kill_at_the_start() {
    life either
    while next_fault; do
        roll 2
        leg "start:0:$( [[ $mode == alone ]] && echo 0 || echo $rolled)"
        hit "rank $rolled" 137
    done
    settle
}

# Nobody ends the ranks; they notice, and the folder is free again.
kill_the_launcher() {
    local ranks
    life mpi
    while next_fault; do
        start ''
        moment
        ranks="$(rank_pid 0) $(rank_pid 1)"
        send KILL "$pid" || true
        finish
        if ((status == 0)); then
            settle && life mpi
            continue
        fi
        hit "after $when s" 137
        for rank in $ranks; do
            until_so is_gone "$rank" || fail "rank process $rank lives on without its launcher"
        done
    done
    settle
}

kill_beside_a_stopped() {
    local victim stopped
    life mpi
    while next_fault; do
        start ''
        moment
        roll 2 && victim=$rolled
        stopped=$(rank_pid $((1 - victim)))
        send STOP "$stopped" || true
        send KILL "$(rank_pid "$victim")" || true
        finish
        if ((status == 0)); then
            settle && life mpi
        else
            hit "rank $victim killed after $when s" 137
            is_gone "${stopped:-0}" || fail "the stopped rank is still there"
        fi
    done
    settle
}

kill_during_an_evaluation() {
    life either
    while next_fault; do
        roll 2
        step=$(((step / 60 + 1 + rolled) * 60))
        leg "evaluate:$step:*"
        hit "after step $step" 137
    done
    settle
}

kill_at_the_end() {
    life either --training.sample_tokens 8
    while next_fault; do
        pick sample save-model
        leg "$picked:480:*"
        hit "$picked" 137
    done
    settle
}
