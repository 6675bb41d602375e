# The disturbed runs: how jobs/faults.sh starts them, counts their faults, and settles whether one was lost.

total=0 planned=0 lost=0 lives=0 started=$SECONDS
pid='' other='' watch='' others=() mounted='' kind=''
program='' launcher=() mode='' run='' log='' settings=() around=() reference='' status=0 faults=0 step=0

clean_up() {
    local ended=$?
    end_all
    if [[ -n $kind ]] && ((ended < 128)); then
        # Standard error is the shell's log here.
        echo "faults: this script broke off while it tried $kind, in run-$lives:" >&3
        tail -n 3 "$work/shell.log" >&3
    fi
    kill "$watch" 2>/dev/null || true
    [[ -z $mounted ]] || umount -l "$mounted" 2>/dev/null || true
    if [[ -n $keep ]]; then echo "faults: the runs are in $work"; else rm -rf "$work"; fi
}

# Every process that has this script's own folder on its command line, whatever started it.
own_processes() { pgrep -f -- "$work/" || true; }

end_all() {
    local left
    for left in $pid $other "${others[@]}" $(own_processes); do kill -KILL "$left" 2>/dev/null || true; done
}

# The programs of the runs, one or one of each MPI, and how each is started on two ranks.
choose_programs() {
    gecko=$(realpath "$gecko")
    [[ -x $gecko ]] || { echo "faults: no program at $gecko: build it (bash jobs/setup.sh) or set GECKO" >&2; exit 1; }
    mpi_launcher "$gecko" 2
    first_mpi=$(mpi_of "$gecko") first_launcher=("${launcher[@]}") second=''
    local mpich=${GECKO_MPICH:-.build-mpich/release/gecko}
    [[ $first_mpi == openmpi && ( -n ${GECKO_MPICH:-} || -x $mpich ) ]] || return 0
    second=$(realpath "$mpich")
    [[ -x $second ]] || { echo "faults: GECKO_MPICH: no program at $second" >&2; exit 1; }
    mpi_launcher "$second" 2
    second_launcher=("${launcher[@]}")
}

# A model of seconds: two stages, 480 steps, 24 checkpoints of which two stay.
prepare() {
    touch "$work/since"
    watch_over </dev/null >/dev/null 2>&1 &
    watch=$!
    awk 'BEGIN { for (i = 0; i < 900; i++) printf "%d geese and %d swans. ", i * i % 977, i * 7 % 31 }' \
        >"$work/corpus.txt"
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
patience = 30
TOML
    undisturbed=$(digest_of whole)
    reference=$undisturbed
    # What a published model holds behind its header: float32 parameters.
    model_bytes=$((4 * $(sed -n 's/^gecko: \([0-9]*\) parameters.*/\1/p' "$work/whole.log")))
}

# The digest of a run that nothing disturbs from outside.
digest_of() { # NAME [settings ...]; GECKO_FAULT may say what belongs to the run
    "$gecko" train "$work/run.toml" --run.directory "$work/$1" "${@:2}" >"$work/$1.log" 2>&1 || {
        cat "$work/$1.log" >&2
        echo "faults: the undisturbed run failed" >&2
        exit 1
    }
    sed -n 's/^parameters sha256 //p' "$work/$1.log"
    tail -c "$((4 * $(sed -n 's/^gecko: \([0-9]*\) parameters.*/\1/p' "$work/$1.log")))" "$work/$1/model.safetensors" |
        sha256sum >"$work/model-$(sed -n 's/^parameters sha256 //p' "$work/$1.log")"
}

# A run's life: it is started again after each fault, in the way it was started first. An @ in its settings stands for
# its folder.
life() { # alone|mpi|either [settings ...]
    local mpi_turn=$turn
    mode=$1
    [[ $mode != either ]] || { mode=$( ((turn % 2 == 0)) && echo alone || echo mpi) && mpi_turn=$((turn / 2)); }
    program=$gecko launcher=()
    if [[ $mode == mpi && -n $second ]] && ((mpi_turn % 2 == 1)); then
        mode=mpich program=$second launcher=("${second_launcher[@]}")
    elif [[ $mode == mpi ]]; then
        mode=$first_mpi launcher=("${first_launcher[@]}")
    fi
    turn=$((turn + 1)) lives=$((lives + 1))
    run=$work/run-$lives log=$work/run-$lives.log faults=0 step=20 status=-1 reference=$undisturbed around=()
    settings=("${@:2}")
    settings=("${settings[@]//@/$run}")
}

# A step that this life has not come to, in `step`; checkpoints are due at each 20th.
ahead() { roll 60; step=$((step + 20 + rolled)); }
ahead_checkpoint() { roll 3; step=$(((step / 20 + 1 + rolled) * 20)); }

# What the program itself starts in: shell text that ends where the program takes over. Under mpirun, on each rank.
within() { around=(bash -c "$1; exec \"\$@\"" bash); }

# Starts the run, with what is to happen to it, in the background.
start() { # FAULT [settings ...]
    : >"$log"
    touch "$work/since"
    # The shell has its background's SIGINT ignored.
    env --default-signal=INT,QUIT ${1:+GECKO_FAULT="$1"} "${launcher[@]}" "${around[@]}" \
        "$program" train "$work/run.toml" --run.directory "$run" --resume "${settings[@]}" "${@:2}" >"$log" 2>&1 &
    pid=$!
}

finish() {
    # The shell would tell of each command that a signal ended.
    { wait "$pid" && status=0 || status=$?; } 2>/dev/null
    pid=''
    if [[ $mode == mpich ]]; then
        status=$(mpi_status "$status" "${launcher[@]}")
        # Now and then this launcher has 0 after it handed a signal on.
        ((status != 0)) || ! grep -q '^stopped by' "$log" || status=75
        # A 1 of gecko's has its reason in the log; one without is what the launcher makes of a rank that was killed.
        ((status != 1)) || grep -qE 'Error|Exit code 1' "$log" || status=137
    fi
    cat "$log" >>"$work/run-$lives.all.log"
    [[ ! -e $work/overdue ]] || { rm "$work/overdue" && fail "it did not end within five minutes"; }
}

# In the background: ends a run that does not end.
watch_over() {
    while sleep 5; do
        ((EPOCHSECONDS - $(stat -c %Y "$work/since") <= 300)) || { touch "$work/overdue" "$work/since" && end_all; }
    done
}

leg() { start "$@" && finish; }

# The process of a rank: the command itself, or one that the launcher started.
rank_pid() { # RANK
    if [[ $mode == alone ]]; then echo "$pid"; else mpi_rank_pid "$1" "$pid"; fi
}

send() { # SIGNAL PID
    ! is_gone "$2" && kill -s "$1" "$2" 2>/dev/null
}

# A random moment of a run that takes about a second.
moment() {
    roll 600
    when=0.$(printf '%03d' $((100 + rolled)))
    sleep "$when"
}

# Until something is so, for at most ten seconds.
until_so() { # COMMAND ...
    local try
    for ((try = 0; try < 500; try++)); do
        if "$@" 2>/dev/null; then return 0; fi
        sleep 0.02
    done
    return 1
}

has_done() { tail -n 1 "$run/metrics.jsonl" | grep -q "\"step\": *$1,"; } # STEP
is_stopped() { [[ $(state_of "$1") == [Tt] ]]; }
is_gone() { [[ $(state_of "$1") == [ZX] ]]; }

# As /proc has it; Z where there is nothing.
state_of() { # PID
    local line=') Z'
    [[ -z $1 ]] || { read -r line <"/proc/$1/stat"; } 2>/dev/null || true
    line=${line##*) }
    echo "${line%% *}"
}

# A fault that has hit. The statuses with which the run may have ended come last; any other one means that it was not
# survived as promised.
hit() { # DETAIL STATUS ...
    local expected left passed=$((SECONDS - started))
    total=$((total + 1)) faults=$((faults + 1)) tried=$((tried + 1)) attempts=0
    counts[$kind]=$((${counts[$kind]:-0} + 1))
    left=$((passed * (planned - total) / total))
    printf '%4d/%d  %-28s %s: exit %d  (%d:%02d gone, %d:%02d left)\n' "$total" "$planned" "$kind" "$mode, $1" \
        "$status" $((passed / 60)) $((passed % 60)) $((left / 60)) $((left % 60))
    for expected in "${@:2}"; do ((status != expected)) || return 0; done
    fail "exit code $status, expected ${*:2}"
}

fail() { # REASON
    lost=$((lost + 1)) faults=$((faults > 0 ? faults - 1 : 0))
    echo "LOST ($kind, fault $((first + tried)) of seed $seed): $1; the run's log ends:"
    { grep -E 'Error|warning|resum|stopped|Fatal|sha256' "$log" || cat "$log"; } 2>/dev/null |
        tail -n 4 | cut -c 1-300 | sed 's/^/      /'
}

# Whether the log says so. MPICH's launcher drops what it hasn't read when a rank dies; the run's own log has it.
said() { # TEXT
    grep -q -- "$1" "$log" || { [[ $mode == mpich ]] && tail -n 40 "$run/train.log" 2>/dev/null | grep -q -- "$1"; }
}

# What the log doesn't say as promised was not survived.
told() { # TEXT
    said "$1" || fail "the run never said '$1'"
}

# Whether the model in the run's folder is the one that it should have become.
published() {
    [[ $(tail -c "$model_bytes" "$run/model.safetensors" | sha256sum) == "$(<"$work/model-$reference")" ]] ||
        fail "the published model is not that of the undisturbed run"
}

# Does something at random moments until it has hit so often. A run that comes to its end first makes room for another.
# The task may have set `with`, the lives' settings; `prepare_life`, run when a life begins; `mend`, run when the
# disturbed run has ended; `wanted`, what it must say.
at_random() { # MODE STATUSES ACTION ...
    status=0
    while next_fault; do
        if ((status == 0)); then
            life "$1" "${with[@]}"
            $prepare_life
        fi
        start ''
        moment
        did=''
        "${@:3}" || true
        finish
        $mend
        # What came after its last look at the matter has missed a run that came to its end.
        ((status != 0)) || [[ -z $wanted ]] || said "$wanted" || did=''
        if [[ -n $did ]] && { ((status != 0)) || [[ " $2 " == *' 0 '* ]]; }; then
            hit "$did after $when s" $2
            [[ -z $wanted ]] || told "$wanted"
        elif ((status != 0)); then
            fail "it ended with $status before anything was done to it"
        fi
        ((status != 0)) || settle
    done
    ((status == 0)) || settle
}

# Ends a life: the run goes on undisturbed to its end, if it isn't there yet, with the right bytes.
settle() {
    local found='' all=$faults
    around=()
    if ((status != 0)); then
        leg ''
        found=$(sed -n 's/^parameters sha256 //p' "$log")
    fi
    if ((status != 0)) || [[ -n $found && $found != "$reference" ]]; then
        fail "the run ended with $status and parameters ${found:-none}, expected $reference; it had $all faults"
        lost=$((lost + (all > 1 ? all - 1 : 0)))
    # A folder that was removed when the run had ended has no model.
    elif [[ $kind != run-folder-removed || -e $run ]]; then
        published
    fi
    ! pgrep -f -- "--run.directory $run " >/dev/null || fail "a process of the run is left"
    [[ -n $keep ]] || rm -rf "$run" "$work/run-$lives" "$work/run-$lives".* || true
}
