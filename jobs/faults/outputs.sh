# A run's log that breaks: the run goes on without it, to its end.

kind output-full 5 "standard output, standard error or both on a full disk: the run goes on" broken_output \
    '>/dev/full' '2>/dev/full' '>/dev/full_2>/dev/full'
kind output-closed 6 "standard output, standard error, or all three descriptors closed: the run goes on" broken_output \
    '>&-' '2>&-' '>&-_2>&-_<&-'
kind reader-gone 5 "the log's reader leaves after a line: the run goes on" \
    broken_output '>_>(head_-n_1_>/dev/null)_2>&1'
kind reader-asleep 2 "the log is a full pipe that nobody reads: the run goes on" reader_asleep
disk_kind log-disk-full 4 "the log is on a disk that fills up: the run goes on" log_disk_full

# Dies at some step that it would not have come to, or comes to its end.
outlive() { # DETAIL
    if ((tried + 1 < tries)); then
        ahead
        leg "step:$step"
        hit "$1, died before step $((step + 1))" 137
    else
        leg ''
        hit "$1, to the end" 0
        ((status != 0)) || published
    fi
    around=()
}

broken_output() { # REDIRECTION ..., with _ for blanks
    life either
    while next_fault; do
        pick "$@"
        within "exec ${picked//_/ }"
        outlive "${picked//_/ }"
    done
    settle
}

# Each rank's output is a pipe that is full before it begins.
reader_asleep() {
    local rank
    life either
    while next_fault; do
        others=()
        for rank in 0 1; do
            mkfifo "$run.pipe.$rank"
            # Opens the pipe to read, and never does.
            { exec sleep 100 <"$run.pipe.$rank"; } 2>/dev/null &
            others+=($!)
        done
        within "exec >$(printf %q "$run").pipe.\${OMPI_COMM_WORLD_RANK:-\${PMI_RANK:-0}}; head -c 65536 /dev/zero"
        outlive "a full pipe"
        kill "${others[@]}" 2>/dev/null || true
        wait "${others[@]}" 2>/dev/null || true
        others=()
        rm "$run".pipe.*
    done
    settle
}

log_disk_full() {
    small_disk 64k
    life either --training.log_every 1
    while next_fault; do
        rm -f "$work"/disk/*
        roll 3
        fill_disk $((rolled + 1))
        within "exec >>$(printf %q "$work")/disk/log 2>&1"
        outlive "$((rolled + 1)) blocks free"
    done
    settle
    no_disk
}
