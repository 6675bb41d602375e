# The faults that jobs/faults.sh tries, kind by kind; docs/faults.md says what each shows.

# The newest checkpoint that is whole, or the one before it (2): a run that was killed may leave half of one.
newest() {
    local manifest
    manifest=$(ls "$run"/checkpoints/step-*/manifest.json 2>/dev/null | tail -n "${1:-1}" | head -n 1)
    echo "${manifest%/manifest.json}"
}

# Does something to the run at random moments until it has hit so often. A run that comes to its end first makes room for another.
at_random() { # HITS KIND STATUSES ACTION ...
    local hits=0
    life "$mode"
    while ((hits < $1)); do
        start ''
        moment
        "${@:4}" || true
        finish
        if ((status == 0)); then
            settle && life "$mode"
        else
            hits=$((hits + 1))
            hit "$2" "at a random moment" $3
        fi
    done
    settle
}

to_command() { send "$1" "$pid"; }
to_a_rank() { send "$1" "$(rank_pid $((RANDOM % 2)))"; }

# SIGTERM, SIGUSR1 and SIGINT, to the process or to one of two ranks, and to mpirun. Early ones find no handler yet; mpirun kills its ranks
# two seconds after a SIGTERM and then ends with 1.
signals() {
    local signal
    for signal in $(some 2 TERM USR1 INT); do
        for mode in alone mpi; do
            at_random "$(times 6)" "SIG$signal" "75 $((128 + $(kill -l "$signal")))" to_a_rank "$signal"
        done
    done
    mode=mpi
    at_random "$(times 4)" SIGUSR1-to-mpirun "75 138" to_command USR1
    at_random "$(times 3 0)" SIGTERM-to-mpirun "1 75 143" to_command TERM
}

# A rank that never comes to a boundary: the first signal is noted, the second ends it.
second_signals() {
    local i
    life alone
    for ((i = 1; i <= $(times 6); i++)); do
        start "gradients:$((60 * i + 5)):0:hang"
        sleep 0.7
        send USR1 "$pid"
        sleep 0.3
        send TERM "$pid"
        finish
        hit second-signal "stuck in step $((60 * i + 6))" 143
    done
    settle
}

# SIGKILL of the process, or of one of two ranks.
deaths() {
    mode=alone
    at_random "$(times 16)" kill-process 137 to_command KILL
    mode=mpi
    at_random "$(times 10)" kill-one-rank 137 to_a_rank KILL
}

# Death at each point of the checkpoint's protocol, on either rank.
points() {
    local point step round
    for ((round = 0; round < $(times 2 1); round++)); do
        life "$( ((round == 0)) && echo alone || echo mpi)"
        step=40
        for point in $(some 3 part-half manifest-flushed cleanup-half step gradients snapshot-taken part-begin part-written part-flushed \
            part-durable manifest-begin manifest-half manifest-durable cleanup-begin cleanup-renamed cleanup-done); do
            local rank=$((RANDOM % 2)) kind
            case $point in
                step | gradients) kind=kill-in-a-step ;;
                snapshot-taken | part-begin) kind=kill-before-writing ;;
                part-half | part-written | part-flushed) kind=kill-during-a-write ;;
                part-durable | manifest-begin) kind=kill-between-writes ;;
                manifest-half | manifest-flushed) kind=kill-before-the-manifest ;;
                manifest-durable) kind=kill-after-the-manifest ;;
                cleanup-*) kind=kill-during-clean-up ;;
            esac
            case $point in manifest-* | cleanup-* | step) rank='*' ;; esac
            leg "$point:$step:$rank"
            hit "$kind" "$point of step $step, rank $rank" 137
            step=$((step + 20))
        done
        for point in $(some 1 resume-loaded resume-chosen); do
            step=$(($(basename "$(newest)" | sed 's/step-0*//')))
            leg "$point:$step:0"
            hit kill-during-resume "$point of step $step" 137
        done
        settle
    done
}

# The newest checkpoint's files, damaged while nobody looks: found by digest, and the one before it is taken.
damage() {
    local way round
    for ((round = 0; round < $(times 2 1); round++)); do
        life "$( ((round % 2 == 0)) && echo alone || echo mpi)"
        local step=75
        for way in $(some 2 bit-flip manifest-truncated truncated missing foreign emptied manifest-bit-flip manifest-missing manifest-foreign); do
            leg "step:$step"
            hit kill-in-a-step "before step $((step + 1))" 137
            step=$((step + 40))
            ruin "$way" $((RANDOM % 2))
        done
        settle
    done
}

ruin() { # WAY RANK
    local new old file
    new=$(newest) old=$(newest 2)
    file=$new/rank-000$2.safetensors
    [[ $1 != manifest-* ]] || file=$new/manifest.json
    case $1 in
        *truncated) truncate -s "-$(($(stat -c %s "$file" || echo 3) / 3))" "$file" ;;
        *bit-flip) flip "$file" ;;
        *missing) rm "$file" ;;
        *foreign) cp "$old/$(basename "$file")" "$file" ;;
        emptied) : >"$file" ;;
    esac
    # Seen by a start that dies once it has chosen: it must have chosen the one before.
    leg "resume-chosen:$(basename "$old" | sed 's/step-0*//')"
    hit "file-${1#file-}" "$(basename "$file") of $(basename "$new")" 137
}

flip() { # FILE: one bit, anywhere
    local at byte
    at=$(((RANDOM * 32768 + RANDOM) % $(stat -c %s "$1")))
    byte=$(od -An -tu1 -j "$at" -N 1 "$1")
    printf "\\x$(printf '%02x' $((byte ^ (1 << RANDOM % 8))))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# What dead runs leave behind, and what does not belong there.
rubbish() {
    local i
    life alone
    leg step:70
    for ((i = 0; i < $(times 4); i++)); do
        local step=$((80 + 40 * i)) store=$run/checkpoints
        case $i in
            0) cp -r "$(newest)" "$store/step-00000999" && rm -f "$store/step-00000999/manifest.json" ;;
            1) cp -r "$(newest)" "$store/removing-00000020" ;;
            2) head -c 1000 /dev/urandom >"$(newest)/rank-0000.safetensors.partial.1" ;;
            3) mkdir "$store/step-later" && head -c 1000 /dev/urandom >"$store/manifest.json" ;;
        esac
        leg "step:$((step + 15))"
        hit left-over-files "kind $((i + 1))" 137
    done
    settle
}

# Storage that fails: training goes on, the last good checkpoint stays, and the next one that can be written is.
full_disks() {
    local point i
    local step round
    for mode in alone mpi; do
        for ((round = 0; round < $(times 2 1); round++)); do
            life "$mode"
            step=60
            for point in $(some 1 part-half part-begin manifest-begin manifest-half); do
                # Dies when the next checkpoint has been taken, which waits for this one's end.
                leg "$point:$step:0:fail,step:$((step + 50))"
                hit write-fails "$point of step $step" 137
                told "No space left on device"
                told "Training goes on"
                step=$((step + 60))
            done
            settle
        done
    done

    # A limit on the size of files, of which the system tells by a signal.
    life alone
    leg step:70
    for ((i = 0; i < $(times 3 1); i++)); do
        (ulimit -f 24 && "$gecko" train "$work/run.toml" --run.directory "$run" --resume >"$log.limited" 2>&1) && status=0 || status=$?
        cp "$log.limited" "$log"
        # It came to its end, where it could not write the model; its last checkpoint is that of step 60.
        hit file-size-limit "24 KiB a file" 1
        told "Training goes on"
        told "File too large"
    done
    settle

    mkdir -p "$work/disk"
    if ! mount -t tmpfs -o size=2m tmpfs "$work/disk" 2>/dev/null; then
        echo "      (no right to mount a small disk here: the full and the read-only disk are left out)"
        return
    fi
    mounted=$work/disk
    for mode in alone mpi; do
        life "$mode" --checkpoint.directory "$work/disk/$mode"
        leg step:70
        for ((i = 1; i <= $(times 4 1); i++)); do
            # Fills what is free but for a few blocks; the run meets the end of the disk at its next checkpoint.
            dd if=/dev/zero of="$work/disk/ballast" bs=4k status=none 2>/dev/null || true
            truncate -s "-$((RANDOM % 20 * 4096))" "$work/disk/ballast"
            leg "step:$((70 + 50 * i))"
            hit full-disk "checkpoints of steps 80 to $((70 + 50 * i))" 137
            rm "$work/disk/ballast"
            mount -o remount,ro "$work/disk"
            leg "step:$((90 + 50 * i))"
            hit read-only-disk "checkpoints of steps 80 to $((90 + 50 * i))" 137
            mount -o remount,rw "$work/disk"
            # Once it could write again.
            leg "step:$((95 + 50 * i))"
        done
        settle
        rm -rf "$work/disk/$mode"
    done
    umount "$work/disk" && mounted=''
}

# Ranks that stand still: for ever, and for a while.
standstills() {
    local i
    life mpi --machine.patience 1
    for ((i = 0; i < $(times 4); i++)); do
        leg "step:$((65 + 40 * i)):$((i % 2)):stop"
        hit stopped-for-ever "rank $((i % 2)) before step $((66 + 40 * i))" 69
        told "Rank $((i % 2)).* does not answer"
    done
    for ((i = 0; i < $(times 3); i++)); do
        leg "gradients:$((245 + 40 * i)):$((i % 2)):hang"
        hit stuck-in-a-kernel "rank $((i % 2)) in step $((246 + 40 * i))" 69
    done
    settle
    life alone --machine.patience 1
    for ((i = 0; i < $(times 3); i++)); do
        leg "gradients:$((65 + 40 * i)):$((i % 2)):hang"
        hit stuck-in-a-kernel "rank $((i % 2)) in step $((66 + 40 * i))" 69
        told "rank $((i % 2)) has given no sign of life"
    done
    settle
    for ((i = 0; i < $(times 6 2); i++)); do
        life "$( ((i % 2 == 0)) && echo alone || echo mpi)"
        start ''
        moment
        local rank
        rank=$(rank_pid $((i / 2 % 2)))
        if send STOP "$rank"; then
            sleep 0.5
            send CONT "$rank" || true
            finish
            hit stopped-for-a-while "0.5 s" 0
        else
            finish
        fi
        settle
    done
}

# A gradient that is not a number, on one rank: all skip the step. The run that nothing else disturbs skips it too.
not_numbers() {
    local i step nan skipping
    nan=gradients:30:1:nan,gradients:31:0:nan
    skipping=$(GECKO_FAULT=$nan digest_of skipping)
    [[ $skipping != "$undisturbed" ]] || fail "skipping two steps changed nothing"
    for ((i = 0; i < $(times 6 2); i++)); do
        life "$( ((i % 2 == 0)) && echo alone || echo mpi)"
        reference=$skipping
        # Dies before, between or after; what it does again includes the steps to skip. (On a busy machine it may die before its first
        # checkpoint is whole, and then does everything again.)
        step=$((31 + i * 3))
        leg "$nan,step:$step"
        hit not-a-number "steps 31 and 32, died before step $((step + 1))" 137
        leg "$nan,step:130"
        settle
    done
    for ((i = 0; i < $(times 4 1); i++)); do
        life "$( ((i % 2 == 0)) && echo alone || echo mpi)" --training.max_nonfinite 3
        step=$((50 + 31 * i))
        leg "gradients:$step:0:nan,gradients:$((step + 1)):1:nan,gradients:$((step + 2)):0:nan"
        hit not-a-number-for-good "steps $((step + 1)) to $((step + 3))" 1
        told "3 steps in a row"
        settle
    done
}

# The same command, started twice.
second_runs() {
    local i
    for ((i = 0; i < $(times 4 1); i++)); do
        life "$( ((i % 2 == 0)) && echo alone || echo mpi)"
        start gradients:200:0:stop
        other=$pid
        for ((try = 0; try < 200; try++)); do [[ -s $run/run.lock ]] && break || sleep 0.02; done
        log=$log.second
        start ''
        finish
        hit second-run "in the same folder" 1
        told "another run is under way there: process"
        log=${log%.second} pid=$other other=''
        if [[ $mode == alone ]]; then send KILL "$pid"; else send KILL "$(rank_pid 0)"; fi
        finish
        settle
    done
}
