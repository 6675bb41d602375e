# Signals that ask a run to save and stop.

for name in TERM USR1 INT HUP XCPU USR2 PIPE; do
    kind SIG$name 8 "at random moments, to the process or to one of two ranks: all save after the same step, 75" \
        signal_at_random $name
done
kind hangup-ignored 4 "SIGHUP, ignored from the start as by \`nohup\`: the run goes on to its end" hangup_ignored
kind signal-during-an-evaluation 5 "cut short, 75" signal_during_an_evaluation
kind signal-at-the-end 5 "before the sample or the model: the run ends at once and rightly, 0" signal_at_the_end
kind SIGUSR2-to-the-launcher 3 "handed on to the ranks: 75" signal_to_the_launcher USR2 75 140
kind SIGUSR1-to-the-launcher 4 "handed on to the ranks: 75" signal_to_the_launcher USR1 75 138
kind SIGTERM-to-the-launcher 3 "Open MPI's ends its ranks within two seconds: 1; MPICH's hands it on: 75" \
    signal_to_the_launcher TERM 1 75 143
kind signal-to-every-rank 4 "as a batch system sends it: all save after the same step, 75" signal_to_every_rank
kind signal-in-a-step 5 "before a step, or when its gradients are complete: 75" signal_at_points step gradients
kind signal-during-a-save 6 "at each point of a checkpoint: it becomes whole, 75" \
    signal_at_points snapshot-taken part-begin part-half part-written part-flushed part-durable manifest-begin \
    manifest-half manifest-flushed manifest-durable
kind signal-during-clean-up 4 "while an old checkpoint is removed: 75" \
    signal_at_points cleanup-begin cleanup-renamed cleanup-half cleanup-done
kind signal-during-resume 4 "the checkpoint is chosen, or loaded: 75" signal_during_resume
kind second-signal 6 "while a rank is stuck in a step: the process ends at once" second_signal

to_command() { # SIGNAL
    did="SIG$1 to the command"
    send "$1" "$pid"
}

to_a_rank() { # SIGNAL
    roll 2
    did="SIG$1 to rank $rolled"
    send "$1" "$(rank_pid "$rolled")"
}

to_every_rank() { # SIGNAL
    local ranks
    did="SIG$1 to both ranks"
    ranks="$(rank_pid 0) $(rank_pid 1)"
    kill -s "$1" $ranks 2>/dev/null
}

# Early ones may find no handler yet.
# One that comes before a rank listens ends it: 128 and the signal's number; MPICH's launcher has the number alone, or
# with the other rank's 1 in its lowest bit.
signal_at_random() {
    local number
    number=$(kill -l "$1")
    at_random either "75 $((128 + number)) $number $((number | 1))" to_a_rank "$1"
}

signal_to_the_launcher() { at_random mpi "${*:2}" to_command "$1"; }

signal_to_every_rank() { at_random mpi "75 143 138 1 15 10 11" a_signal to_every_rank; }

a_signal() { # ACTION
    pick TERM USR1
    "$1" "$picked"
}

# At a point of the program, sent by the program itself.
signal_at_points() { # POINT ...
    local point signal rank
    life either
    # A third checkpoint, so that there is one to remove.
    [[ $1 != cleanup-* ]] || step=40
    while next_fault; do
        if [[ $1 == step ]]; then ahead; else ahead_checkpoint; fi
        pick "$@" && point=$picked
        pick term usr1 int hup xcpu usr2 pipe && signal=$picked
        roll 2 && rank=$rolled
        # Only rank 0 passes these; alone, a process has both ranks but passes `step` once.
        case $point in manifest-* | cleanup-* | step) rank='*' ;; esac
        leg "$point:$step:$rank:$signal"
        hit "$signal at $point of step $step, rank $rank" 75
        # What a checkpoint's thread hears may stop the run only after the next one was due.
        step=$((step + 20))
    done
    settle
}

signal_during_resume() {
    local point signal
    life either
    leg "step:$((step + 60))"
    while next_fault; do
        pick resume-chosen resume-loaded && point=$picked
        pick term usr1 int hup xcpu usr2 pipe && signal=$picked
        step=$(step_of "$(newest)")
        leg "$point:$step:*:$signal"
        hit "$signal at $point" 75
    done
    settle
}

# A rank that never comes to a boundary: the first signal is noted, the second ends it.
second_signal() {
    local signals i
    life alone
    while next_fault; do
        ahead
        pick "USR1 TERM 143" "TERM TERM 143" "TERM USR1 138" "INT TERM 143" "USR1 INT 130" "HUP TERM 143" \
            "USR1 HUP 129" "XCPU USR2 140" "PIPE XCPU 152"
        read -ra signals <<<"$picked"
        start "gradients:$step:0:hang"
        until_so has_done "$step" || fail "it never came to step $step"
        sleep 0.1
        send "${signals[0]}" "$pid" || true
        # Again where a busy machine has brought the two too close together to be two.
        for ((i = 0; i < 20; i++)); do
            sleep 0.3
            ! is_gone "$pid" || break
            send "${signals[1]}" "$pid" || true
        done
        finish
        hit "${signals[0]} and ${signals[1]}, stuck in step $((step + 1))" "${signals[2]}"
    done
    settle
}

hangup_ignored() {
    while next_fault; do
        life either
        within "trap '' HUP"
        start ''
        moment
        roll 2
        did=''
        send HUP "$(rank_pid "$rolled")" && did=1
        finish
        [[ -z $did ]] || hit "rank $rolled after $when s" 0
        settle
    done
}

signal_during_an_evaluation() {
    life either
    while next_fault; do
        roll 2
        step=$(((step / 60 + 1 + rolled) * 60))
        pick term usr1 int hup xcpu usr2 pipe
        leg "evaluate:$step:*:$picked"
        hit "$picked after step $step" 75
    done
    settle
}

signal_at_the_end() {
    local signal
    while next_fault; do
        life either --training.sample_tokens 8
        pick term usr1 int hup xcpu usr2 pipe && signal=$picked
        pick sample save-model
        leg "$picked:480:*:$signal"
        hit "$signal at $picked" 0
        ((status != 0)) || published
        settle
    done
}
