# What happens to a run's folder: while the run is under way, and between its starts.

kind run-folder-moved 6 "renamed while the run is under way: said, 1; with its name back the same command goes on" \
    folder_moved
kind run-folder-moved-a-while 4 "renamed for a tenth of a second: the run goes on; at its very end 1" folder_moved_a_while
kind run-folder-replaced 4 "renamed, and another folder has its name: said, 1" folder_replaced
kind run-folder-removed 4 "removed while the run is under way: said, 1; the same command begins anew" folder_removed
kind run-folder-moved-and-stopped 4 "renamed, then a signal: not saved, so 1 and not 75" folder_moved_and_stopped
kind checkpoints-moved 4 "the folder of checkpoints is renamed: said; the run goes on to its end" checkpoints_moved
kind checkpoints-removed 4 "the folder of checkpoints is removed: said; the run goes on to its end" checkpoints_removed
for name in config.toml metrics.jsonl run.lock; do
    kind ${name%.*}-lost-meanwhile 3 "$name is removed while the run is under way: it goes on to its end" \
        file_lost_meanwhile $name
done
for name in config.toml metrics.jsonl; do
    kind ${name%.*}-damaged 4 "$name is missing, empty, cut or noise between two starts: no hindrance" \
        file_damaged $name
done

# Once the run is at work there: before that it refuses to begin.
at_work() { until_so test "$run/metrics.jsonl" -nt "$work/since"; }

move_away() { at_work && mv "$run" "$run.away" && did="moved"; }
move_back() { [[ ! -e $run.away ]] || { rm -rf "$run" && mv "$run.away" "$run"; }; }

folder_moved() {
    mend=move_back wanted="was renamed to"
    at_random either 1 move_away
}

folder_replaced() {
    mend=move_back wanted="something else has its name"
    at_random either 1 replace
}

replace() { move_away && mkdir "$run" && did="replaced"; }

folder_moved_a_while() {
    at_random either "0 1" move_a_while
}

move_a_while() {
    move_away || return 0
    sleep 0.1
    mv -T "$run.away" "$run" || fail "another folder has the run's name"
    is_gone "$pid" || did="moved for a while"
}

folder_removed() {
    wanted="was removed while the run was under way"
    at_random either 1 remove_folder
}

# Again where the run has put something there meanwhile.
remove_folder() {
    at_work
    rm -rf "$run" || rm -rf "$run"
    did="removed"
}

folder_moved_and_stopped() {
    # Unless it was at its end already.
    mend=move_back wanted='could NOT be saved\|the end of the run is not saved'
    at_random either 1 move_and_stop
}

move_and_stop() {
    roll 2
    move_away && send TERM "$(rank_pid "$rolled")"
    did="moved, SIGTERM to rank $rolled"
}

checkpoints_moved() {
    with=(--checkpoint.directory @.store) wanted="was renamed to"
    at_random either 0 move_checkpoints
}

move_checkpoints() { at_work && mv "$run.store" "$run.store.away" && did="moved"; }

checkpoints_removed() {
    with=(--checkpoint.directory @.store) wanted="was removed while the run was under way"
    at_random either 0 remove_checkpoints
}

remove_checkpoints() { at_work && { rm -rf "$run.store" || rm -rf "$run.store"; } && did="removed"; }

file_lost_meanwhile() { # FILE
    while next_fault; do
        life either
        start ''
        at_work
        moment
        rm -f "$run/$1"
        if is_gone "$pid"; then
            finish
        else
            finish
            hit "after $when s" 0
            [[ $(step_of "$(newest)") == 480 ]] || fail "the last step has no checkpoint"
        fi
        settle
    done
}

file_damaged() { # FILE
    local way
    life either
    leg step:60 && step=60
    while next_fault; do
        ahead
        pick missing empty cut noise && way=$picked
        case $way in
            missing) rm "$run/$1" ;;
            empty) : >"$run/$1" ;;
            cut) roll 100 && truncate -s "-$rolled" "$run/$1" ;;
            noise) head -c 3000 /dev/urandom >>"$run/$1" ;;
        esac
        leg "step:$step"
        hit "$way" 137
    done
    settle
}
