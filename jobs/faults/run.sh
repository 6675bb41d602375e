# The disturbed runs: how jobs/faults.sh starts them, counts their faults, and settles whether one was lost.

declare -A count=()
total=0 lost=0 lives=0
pid='' other='' mounted='' run='' log='' status=0 faults=0 reference='' settings=()

clean_up() {
    # The commands that may still run, started here.
    local left
    for left in $pid $other; do kill -KILL "$left" 2>/dev/null || true; done
    [[ -z $mounted ]] || umount "$mounted" 2>/dev/null || true
    if [[ -n $keep ]]; then echo "faults: the runs are in $work"; else rm -rf "$work"; fi
}

# A model of seconds: two stages, 480 steps, 24 checkpoints of which two stay.
prepare() {
    awk 'BEGIN { for (i = 0; i < 900; i++) printf "%d geese and %d swans. ", i * i % 977, i * 7 % 31 }' >"$work/corpus.txt"
    cat >"$work/run.toml" <<TOML
[model]
layers = 2
dim = 16
z_dim = 8
value_dim = 16
ffn_dim = 16
heads = 2
ema_dim = 2
chunk = 16
norm_groups = 2
[data]
path = "$work/corpus.txt"
sequence = 32
[training]
steps = 480
batch = 2
evaluate_every = 60
evaluate_sequences = 8
sample_tokens = 0
log_every = 40
[pipeline]
stages = 2
slice = 16
[checkpoint]
every = 20
keep = 2
[run]
trace_steps = 0
[machine]
patience = 10
TOML
    undisturbed=$(digest_of whole)
    reference=$undisturbed
}

# The digest of a run that nothing disturbs from outside.
digest_of() { # NAME [settings ...]; GECKO_FAULT may say what belongs to the run
    "$gecko" train "$work/run.toml" --run.directory "$work/$1" "${@:2}" >"$work/$1.log" 2>&1 || {
        cat "$work/$1.log" >&2
        echo "faults: the undisturbed run failed" >&2
        exit 1
    }
    sed -n 's/^parameters sha256 //p' "$work/$1.log"
}

# How often a part of the whole list is tried: all of it, or with --short the first few.
times() { if [[ -n $short ]]; then echo "${2:-1}"; else echo "$1"; fi; }

# All of a list, or with --short the first few.
some() { # FEW ITEM ...
    if [[ -n $short ]]; then echo "${@:2:$1}"; else echo "${@:2}"; fi
}

# A run's life: it is started again after each fault, in the way it was started first.
life() { # alone|mpi [settings ...]
    mode=$1
    settings=("${@:2}")
    lives=$((lives + 1))
    run=$work/run-$lives log=$work/run-$lives.log faults=0 reference=$undisturbed
}

# Starts the run, with what is to happen to it, in the background.
start() { # FAULT [settings ...]
    local starter=()
    [[ $mode == alone ]] || starter=("${launcher[@]}")
    : >"$log"
    env ${1:+GECKO_FAULT="$1"} "${starter[@]}" "$gecko" train "$work/run.toml" --run.directory "$run" --resume \
        "${settings[@]}" "${@:2}" >"$log" 2>&1 &
    pid=$!
}

finish() {
    # The shell would tell of each command that a signal ended.
    { wait "$pid" && status=0 || status=$?; } 2>/dev/null
    [[ $mode == alone ]] || status=$(mpi_status "$status" "${launcher[@]}")
    pid=''
    cat "$log" >>"$run.all.log"
}

leg() { start "$@" && finish; }

# The process of a rank: the command itself, or one that the launcher started.
rank_pid() { # RANK
    if [[ $mode == mpi ]]; then mpi_rank_pid "$1" "$pid"; else echo "$pid"; fi
}

send() { # SIGNAL PID
    [[ -n $2 ]] && kill -s "$1" "$2" 2>/dev/null
}

# A random moment of a run that takes about a second.
moment() { sleep "0.$(printf '%03d' $((100 + RANDOM % 600)))"; }

# A fault that has hit. The statuses with which the run may have ended come last; any other one means that it was not survived as promised.
hit() { # KIND DETAIL STATUS ...
    total=$((total + 1)) faults=$((faults + 1))
    count[$1]=$((${count[$1]:-0} + 1))
    printf '%4d  %-26s %s: exit %d\n' "$total" "$1" "$mode, $2" "$status"
    local expected
    for expected in "${@:3}"; do ((status != expected)) || return 0; done
    fail "exit code $status, expected ${*:3}"
    faults=$((faults - 1))
}

fail() { # REASON
    lost=$((lost + 1))
    echo "LOST: $1; the run's log ends:"
    tail -n 5 "$log" | sed 's/^/      /'
}

# Whether the log says so; otherwise the fault was not survived as promised.
told() { # TEXT
    grep -q -- "$1" "$log" || fail "the run never said '$1'"
}

# Ends a life: the run goes on undisturbed to its end, with the right bytes.
settle() {
    leg ''
    local found
    found=$(sed -n 's/^parameters sha256 //p' "$log")
    if ((status != 0)) || [[ $found != "$reference" ]]; then
        local all=$faults
        fail "the run ended with $status and parameters ${found:-none}, expected $reference; it had $all faults"
        lost=$((lost + (all > 1 ? all - 1 : 0)))
    fi
    [[ -n $keep ]] || rm -rf "$run" "$log" "$run.all.log"
}
