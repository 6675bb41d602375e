# Limits that a batch system or a shell sets.

kind open-files-limit 5 "\`ulimit -n\` below what a run needs: refused at the start, 1" open_files_limit
kind memory-refused 6 "there is no memory for a checkpoint's copy (injected): told, training goes on" memory_refused
kind memory-limit 5 "\`ulimit -v\` of 250 to 550 MB: refused at the start, 1, or told, and training goes on" \
    memory_limit
kind cpu-limit 4 "\`ulimit -t\`: the system's signal asks to save, 75" cpu_limit

# The least limit with which the run comes to its first step, where `unit` is what it is counted in.
least() { # OPTION LOW HIGH: fails with LOW, comes there with HIGH
    local low=$2 high=$3 middle
    life alone
    while ((high - low > 1)); do
        middle=$(((low + high) / 2))
        within "ulimit $1 $middle"
        leg step:0
        if ((status == 137)); then high=$middle; else low=$middle; fi
    done
    rm -rf "$run" "$run".*
    least=$high
}

open_files_limit() {
    life alone
    leg step:70
    while next_fault; do
        roll 12
        within "ulimit -n $((6 + rolled))"
        leg ''
        hit "$((6 + rolled)) files" 1
        told "ulimit -n"
        around=()
    done
    settle
}

memory_refused() {
    local rank
    life either
    while next_fault; do
        ahead_checkpoint
        roll 2 && rank=$rolled
        # Dies when the next checkpoint has been taken, which waits for this one's end.
        leg "memory:$step:$rank:fail,step:$((step + 50))"
        hit "rank $rank at step $step" 137
        told "there is no memory for the copy of the state"
        step=$((step + 50))
    done
    settle
}

# What threads take of the address space differs from start to start, so the result is one or the other.
memory_limit() {
    life alone
    while next_fault; do
        ahead
        roll 300
        within "ulimit -v $((250000 + 1000 * rolled))"
        leg "step:$step"
        around=()
        # One that was never felt is no fault.
        grep -qE 'RLIMIT_AS|no memory|refused' "$log" || ((status != 137)) || continue
        # With no checkpoint at all it may still come to its end, and no second one to a step that is behind it.
        ((status != 0)) || { settle && life alone; continue; }
        hit "$((250 + rolled)) MB" 1 137
        ((status != 1)) || told "ulimit -v"
    done
    settle
}

# Evaluations are work without a trace.
cpu_limit() {
    life either --training.evaluate_every 1
    while next_fault; do
        within "ulimit -S -t 1"
        leg ''
        around=()
        ((status != 0)) || { settle && life either --training.evaluate_every 1; continue; }
        hit "1 s" 75
    done
    settle
}
