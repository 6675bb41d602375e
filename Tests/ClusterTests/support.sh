# What the cluster tests share.

passed=0 failed=0 skipped=0

# Tests are the functions named test_...; those that need cables or own cores end in _namespaces; those named test_interrupted_... mostly wait.
selected() {
    local all
    all=$(declare -F | sed -nE 's/^declare -f (test_.*)/\1/p')
    (($# == 0)) || all=$(grep -E "$(IFS='|'; echo "$*")" <<<"$all") || { echo "cluster tests: no test is named $*" >&2; exit 2; }
    grep -vE "${LEAVE_OUT:-^$}" <<<"$all"
}

run() { # TEST
    local begin=${EPOCHREALTIME//[.,]/} title=${1#test_} status=0
    title=${title%_namespaces}
    if [[ $1 == *_namespaces && $(<"$cluster/backend") == plain ]]; then
        echo "SKIPPED  ${title//_/ }"
        skipped=$((skipped + 1))
        return
    fi
    # `set -e` does not hold in a condition, so the test has a shell of its own.
    (
        set -e
        "$1"
    ) >"$folder/output" 2>&1 &
    wait $! || status=$?
    local time=$(((${EPOCHREALTIME//[.,]/} - begin) / 100000))
    time=$((time / 10)).$((time % 10))
    if ((status == 0)); then
        echo "ok       ${title//_/ }  ($time s)"
        passed=$((passed + 1))
    elif ((status == 77)); then
        echo "SKIPPED  ${title//_/ }: $(<"$folder/output")"
        skipped=$((skipped + 1))
    else
        echo "FAILED   ${title//_/ }  ($time s)"
        sed 's/^/    /' "$folder/output"
        failed=$((failed + 1))
    fi
}

fail() {
    echo "$*"
    exit 1
}

skip() {
    echo "$*"
    exit 77
}

on_head() { cluster/dev exec "$cluster" "$@"; }

equal() { # WHAT FOUND EXPECTED
    [[ $2 == "$3" ]] || fail "$1: expected '$3', found '$2'"
}

contains() { # FILE PATTERN
    grep -qE -- "$2" "$1" || { cat "$1"; fail "$1 has no line that matches: $2"; }
}

# Waits until FILE has a line of PATTERN.
await() { # FILE PATTERN SECONDS
    local end=$((SECONDS + $3))
    until grep -qsE -- "$2" "$1"; do
        ((SECONDS < end)) || { cat "$1" || true; on_head squeue; fail "$1 has no line that matches after $3 s: $2"; }
        sleep 0.1
    done
}

# Submits a job and prints its number.
submit() { on_head sbatch --parsable "$@"; }

# Waits until a job has left the queue.
await_end() { # JOB SECONDS
    local end=$((SECONDS + $2)) state
    while state=$(on_head squeue -h -j "$1" -o %T 2>/dev/null) && [[ -n $state ]]; do
        ((SECONDS < end)) || { on_head scontrol show job "$1"; fail "job $1 is still $state after $2 s"; }
        sleep 0.1
    done
}

# A small model on a text that is always the same.
make_run() {
    local i
    for ((i = 0; i < 900; i++)); do printf '%d geese and %d swans. ' $((i * i % 977)) $((i * 7 % 31)); done >corpus.txt
    cat >run.toml <<'TOML'
[model]
layers = 6
dim = 32
z_dim = 16
value_dim = 32
ffn_dim = 32
heads = 2
ema_dim = 2
chunk = 16
norm_groups = 4

[data]
path = "corpus.txt"
held_out = 0.1
sequence = 64

[training]
steps = 4
batch = 4
evaluate_sequences = 2
sample_tokens = 0

[pipeline]
slice = 16

[machine]
threads = 1
TOML
}

digest() { sed -n 's/^parameters sha256 //p' "$@" | tail -n 1; }

# The digest of a run in one process, computed once for each set of settings.
expected() {
    local key file
    key=$(sha256sum <<<"$*")
    file=$folder/expected-${key%% *}
    if [[ ! -e $file ]]; then
        "$gecko" train run.toml "$@" --run.directory "$file.run" >"$file.log" || { cat "$file.log"; fail "the run in one process failed"; }
        digest "$file.log" >"$file"
    fi
    cat "$file"
}
