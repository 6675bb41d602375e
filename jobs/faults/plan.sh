# Which faults are tried: the kinds, how many of each, in which order, and every choice that looks random. All of it
# comes from the seed.

names=() tasks=() left_out=()
declare -A weights=() stories=() actions=() mounting=() counts=()
# What --short tries, one of each.
few=(SIGTERM SIGUSR1-to-the-launcher second-signal kill-process kill-one-rank kill-in-a-step kill-during-a-write
    kill-during-clean-up stopped-for-ever stopped-for-a-while file-bit-flip manifest-truncated left-over-files
    write-fails file-size-limit full-disk output-full reader-gone second-run metrics-lost-meanwhile open-files-limit
    not-a-number)

# A kind of fault: its share of all, what it is and what is to happen, and the function that does it to `tries` faults.
kind() { # NAME WEIGHT STORY FUNCTION [ARG ...]
    names+=("$1")
    weights[$1]=$2 stories[$1]=$3 actions[$1]=${*:4}
}

# The same for a kind that needs a small disk of its own, which wants the right to mount one.
disk_kind() {
    kind "$@"
    mounting[$1]=1
}

list_kinds() {
    local name
    for name in "${names[@]}"; do printf '%-28s %3d  %s\n' "$name" "${weights[$name]}" "${stories[$name]}"; done
}

# A number below N in `rolled`. Not in a subshell, $(...), where bash's RANDOM comes from the clock.
roll() { rolled=$(((RANDOM << 15 | RANDOM) % $1)); }

# One of a list in `picked`.
pick() { roll $#; rolled=$((rolled + 1)); picked=${!rolled}; }

# From here on RANDOM depends on the seed and on these only.
reseed() { # WORD NUMBER NUMBER
    local sum
    sum=$(cksum <<<"$seed $*")
    RANDOM=${sum%% *}
    # The first numbers of neighbouring seeds are neighbours.
    roll 1 && roll 1 && roll 1
}

# Fills `tasks` (KIND FIRST NUMBER: so many faults of a kind for a life or some) with at least `count` faults.
make_plan() {
    local name chosen_names=("${names[@]}") all=0 before=0 given=0 share first
    [[ -z $short ]] || chosen_names=("${few[@]}")
    [[ -z $chosen ]] || IFS=, read -ra chosen_names <<<"$chosen"
    for name in "${chosen_names[@]}"; do
        [[ -n ${weights[$name]:-} ]] || { echo "faults: there is no kind '$name'; --list names them" >&2; exit 64; }
    done
    can_mount || leave_out_disks
    [[ -z $short ]] || count=0
    for name in "${chosen_names[@]}"; do all=$((all + weights[$name])); done
    for name in "${chosen_names[@]}"; do
        share=$((count * (before + weights[$name]) / all - count * before / all))
        before=$((before + weights[$name]))
        share=$((share > 0 ? share : 1)) planned=$((planned + share))
        for ((first = 0; first < share; first += 4)); do
            tasks+=("$name $first $((share - first < 4 ? share - first : 4))")
        done
    done
    # In an order of the seed's.
    reseed order 0
    for ((given = ${#tasks[@]} - 1; given > 0; given--)); do
        roll $((given + 1))
        share=${tasks[given]} tasks[given]=${tasks[rolled]} tasks[rolled]=$share
    done
}

# Without the right to mount, kinds that want a disk of their own go.
leave_out_disks() {
    local name kept=()
    for name in "${chosen_names[@]}"; do
        if [[ -n ${mounting[$name]:-} ]]; then left_out+=("$name"); else kept+=("$name"); fi
    done
    chosen_names=("${kept[@]}")
    ((${#chosen_names[@]})) || {
        echo "faults: no right to mount a small disk here, which ${left_out[*]} wants" >&2
        exit 1
    }
}

# Lets a task's function do it.
carry_out() { # TASK
    local action
    read -r kind first tries <<<"$1"
    read -ra action <<<"${actions[$kind]}"
    tried=0 attempts=0 with=() prepare_life=: mend=: wanted=''
    # Alone and as two ranks in turn.
    turn=$(cksum <<<"$kind")
    turn=$((${turn%% *} + first / 4))
    "${action[@]}"
}

# Whether the task has another fault to try; RANDOM then belongs to it alone. One that has missed gets another moment.
next_fault() {
    ((tried < tries)) || return 1
    if ((attempts >= 20)); then
        fail "20 times it did not hit"
        return 1
    fi
    reseed "$kind" $((first + tried)) $attempts
    attempts=$((attempts + 1))
}

show_table() {
    local name
    echo
    for name in "${names[@]}"; do [[ -z ${counts[$name]:-} ]] || printf '%-28s %4d\n' "$name" "${counts[$name]}"; done
    ((${#left_out[@]} == 0)) || echo "left out, without the right to mount a small disk: ${left_out[*]}"
    printf 'in %d s, seed %d\n' "$((SECONDS - started))" "$seed"
    # A fault of these scripts must not look like a short list.
    ((total >= planned)) || lost=$((lost + planned - total))
    echo "$total faults of ${#counts[@]} kinds, $lost lost"
}
