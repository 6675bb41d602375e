# Ranks that stand still: for ever, for a while, again and again.

kind stopped-for-ever 6 "SIGSTOP of a rank: the others report it, 69" stopped_for_ever
kind stopped-for-a-while 6 "SIGSTOP, then SIGCONT after half a second: the run goes on" stopped_for_a_while
kind stopped-at-a-point 6 "SIGSTOP at a point of a step or a checkpoint, then SIGCONT: the run goes on" \
    stopped_at_points
kind slow-rank 4 "a rank is stopped and continued again and again: the run goes on" slow_rank
kind stuck-in-a-kernel 8 "a rank's thread never comes back: 69" stuck_in_a_kernel

stopped_for_ever() {
    local rank
    life mpi
    while next_fault; do
        ahead
        roll 2 && rank=$rolled
        leg "step:$step:$rank:stop" --machine.patience 1
        hit "rank $rank before step $((step + 1))" 69
        told "Rank $rank.* does not answer"
    done
    settle
}

stuck_in_a_kernel() {
    local rank
    life either
    while next_fault; do
        ahead
        roll 2 && rank=$rolled
        leg "gradients:$step:$rank:hang" --machine.patience 1
        hit "rank $rank in step $((step + 1))" 69
        [[ $mode != alone ]] || told "rank $rank has given no sign of life"
    done
    settle
}

stopped_for_a_while() {
    local rank
    while next_fault; do
        life either
        start ''
        moment
        roll 2
        rank=$(rank_pid "$rolled")
        if send STOP "$rank"; then
            sleep 0.5
            send CONT "$rank" || true
            finish
            hit "rank $rolled, 0.5 s after $when s" 0
        else
            finish
        fi
        settle
    done
}

stopped_at_points() {
    local rank point process
    life either
    while next_fault; do
        ahead_checkpoint
        pick step gradients snapshot-taken part-half part-durable manifest-begin manifest-durable cleanup-begin
        point=$picked
        roll 2 && rank=$rolled
        case $point in manifest-* | cleanup-* | step) rank=0 ;; esac
        # Dies a few steps after it went on.
        start "$point:$step:$rank:stop,step:$((step + 50))"
        process=$(rank_pid "$rank")
        until_so is_stopped "$process" || fail "it never came to $point"
        roll 400
        sleep "0.$(printf '%03d' "$rolled")"
        send CONT "$process" || true
        finish
        hit "rank $rank at $point of step $step" 137
        step=$((step + 50))
    done
    settle
}

slow_rank() {
    local rank i
    while next_fault; do
        life mpi
        start ''
        moment
        roll 2
        rank=$(rank_pid "$rolled")
        for ((i = 0; i < 5; i++)); do
            send STOP "$rank" || break
            sleep 0.1
            send CONT "$rank" || break
            sleep 0.02
        done
        finish
        ((i == 0)) || hit "rank $rolled, after $when s" 0
        settle
    done
}
