#!/usr/bin/env bash
# The controlled comparison of the four architectures and of Gecko's ablations (docs/comparison.md): equal parameters without embeddings, the same
# text in the same order, the same optimizer, the same grid of learning rates for each, several seeds. It can be stopped at any time and goes on.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: bash jobs/compare.sh [OPTION ...]    the same command again goes on where it was, and does nothing twice
  --size XS|S           2.05M or 21.5M parameters without embeddings (XS)
  --text kjv|python|FILE   the King James Bible, Python's standard library, or a file of your own (kjv)
  --tokens N            tokens that each run is trained on (XS 2097152, S 1048576)
  --sequence N          tokens of a sequence, at least 8 chunks (2048)
  --batch N             sequences of a step (XS 2, S 1)
  --seeds N             seeds of each (XS 3, S 1)
  --precision f32|bf16  of matrix products (XS f32, S bf16)
  --rate R              the middle of the grid of learning rates R/2, R, 2R (XS 6e-3, S 3e-3)
  --grid-share K        runs of the grid take 1/K of the tokens (XS 4, S 8)
  --only NAME,...       some of: gecko, megalodon, mega, llama and the ablations no-memory, no-window, cumulative-norm, no-ema
  --no-variants         the four architectures without the ablations
  --folder FOLDER       where it all goes (runs/compare-SIZE-TEXT)
The chunk is 128 tokens at XS and 512 at S, or an eighth of the sequence where that is less (256 at S for 2,048 tokens).
Results: table.md, comparison.json, loss.svg, rates.txt (the chosen learning rates) and fairness.txt (what was held equal) in the folder.
environment: GECKO (another program than the build's; nothing is installed or built then)
TEXT
}

refuse() {
    echo "compare: $*" >&2
    exit 64
}

size=XS text=kjv sequence=2048 names='' variants=true
tokens='' batch='' seeds='' precision='' rate='' share='' folder=''
while (($#)); do
    case $1 in
        --help | -h) usage && exit ;;
        --no-variants) variants=false && shift && continue ;;
    esac
    (($# > 1)) || refuse "$1: expected a value behind it (--help lists the options)"
    case $1 in
        --size) size=$2 ;;
        --text) text=$2 ;;
        --tokens) tokens=$2 ;;
        --sequence) sequence=$2 ;;
        --batch) batch=$2 ;;
        --seeds) seeds=$2 ;;
        --precision) precision=$2 ;;
        --rate) rate=$2 ;;
        --grid-share) share=$2 ;;
        --only) names=${2//,/ } ;;
        --folder) folder=$2 ;;
        *) refuse "there is no option $1 (--help lists them)" ;;
    esac
    shift 2
done

# What is held equal of the models, and what differs: F makes up for the other parts, so that the parameters without
# embeddings agree within .5 %. Without the EMA's 4 D N + D a layer F grows by a ninth of Gecko's parameters over 3 D.
declare -A ffn
case $size in
    XS)
        : "${tokens:=2097152}" "${batch:=2}" "${seeds:=3}" "${precision:=f32}" "${rate:=6e-3}" "${share:=4}"
        layers=4 dim=192 z_dim=96 value_dim=384 heads=4 longest_chunk=128
        ffn=([gecko]=384 [megalodon]=384 [mega]=480 [llama]=632 [no-ema]=408)
        ;;
    S)
        : "${tokens:=1048576}" "${batch:=1}" "${seeds:=1}" "${precision:=bf16}" "${rate:=3e-3}" "${share:=8}"
        layers=6 dim=512 z_dim=256 value_dim=1024 heads=8 longest_chunk=512
        ffn=([gecko]=1024 [megalodon]=1024 [mega]=1280 [llama]=1648 [no-ema]=1048)
        ;;
    *) refuse "--size $size: expected XS or S" ;;
esac
for option in tokens sequence batch seeds share; do
    [[ ${!option} =~ ^[1-9][0-9]*$ ]] || refuse "--${option/share/grid-share} ${!option}: expected a whole number from 1"
done
[[ $rate =~ ^[0-9.]+(e-?[0-9]+)?$ ]] || refuse "--rate $rate: expected a number such as 6e-3"
known="gecko megalodon mega llama"
all=$known
$variants && all+=" no-memory no-window cumulative-norm no-ema"
known+=" no-memory no-window cumulative-norm no-ema"
: "${names:=$all}"
for name in $names; do
    [[ " $known " == *" $name "* ]] || refuse "--only: there is no $name; there are ${known// /, }"
done

step_tokens=$((batch * sequence)) chunk=$((sequence / 8 < longest_chunk ? sequence / 8 : longest_chunk))
((chunk > 0)) || refuse "--sequence $sequence: at least 8 chunks of a token each are needed"
steps=$((tokens / step_tokens)) grid_steps=$((tokens / step_tokens / share))
((grid_steps > 0)) || refuse "--tokens $tokens over --grid-share $share: less than a step of $batch sequences x $sequence tokens"

# From here on every path is the caller's or the project's.
case $text in
    kjv | python) text_name=$text ;;
    *)
        [[ -s $text ]] || refuse "--text $text: expected kjv, python, or a file that isn't empty"
        text=$(realpath "$text") text_name=$(basename "$text") text_name=${text_name%.*}
        ;;
esac
[[ -z $folder ]] || folder=$(realpath -m "$folder")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/corpora.sh
if [[ -n ${GECKO:-} ]]; then
    source jobs/mpi.sh
else
    extra_packages=$(corpus_packages "$text")
    source jobs/setup.sh
fi
source jobs/tell.sh
: "${folder:=runs/compare-${size,,}-$text_name}"
case $text in
    kjv | python) make_corpus "$text" ;;
    *) corpus=$text ;;
esac
mkdir -p "$folder/configurations" "$folder/grid"

# Runs of one folder are compared with each other, so they must be of one kind.
settings="size $size, text $text, tokens $tokens, sequence $sequence, batch $batch, precision $precision, rate $rate, grid 1/$share"
if [[ -s $folder/settings.txt ]]; then
    found=$(<"$folder/settings.txt")
    [[ $found == "$settings" ]] ||
        refuse "$folder holds a comparison of other settings: $found; asked for: $settings. Give another --folder"
else
    echo "$settings" >"$folder/settings.txt"
fi

# The lines of [model] of an architecture or an ablation.
model() { # NAME
    local architecture=$1 more=''
    case $1 in
        no-memory) architecture=gecko more='memory = false' ;;
        no-window) architecture=gecko more='window = "chunk"' ;;
        cumulative-norm) architecture=gecko more='timestep_norm = "cumulative"' ;;
        no-ema) architecture=gecko more='ema = false' ;;
        # Like the others', whose embeddings have no scale.
        mega) more='scale_embeddings = false' ;;
        llama) more="heads = $heads" ;;
    esac
    printf '%s\n' "architecture = \"$architecture\"" "layers = $layers" "dim = $dim" \
        "ffn_dim = ${ffn[$1]:-${ffn[gecko]}}" "precision = \"$precision\""
    [[ $architecture == llama ]] ||
        printf '%s\n' "z_dim = $z_dim" "value_dim = $value_dim" "chunk = $chunk" "ema_dim = 16"
    [[ $architecture != gecko && $architecture != megalodon ]] || echo "heads = 4"
    [[ -z $more ]] || echo "$more"
}

# The warm-up is the same share of long and short runs, and so is the end of the cosine.
warmup() { echo $(($1 * 8 / 100 > 4 ? $1 * 8 / 100 : 4)); }

configure() { # NAME RATE
    local path=$folder/configurations/$1.toml
    cat >"$path.partial" <<TOML
# $1 in the comparison of $folder; jobs/compare.sh wrote it.
[model]
$(model "$1")

[data]
path = ["$corpus"]
held_out = 0.05
sequence = $sequence

[training]
steps = $steps
batch = $batch
evaluate_sequences = 0
sample_tokens = 0
log_every = 32

[optimizer]
learning_rate = $2
warmup = $(warmup "$steps")
clip = 1.0
weight_decay = 0.1

[checkpoint]
every = $((steps / 8 > 0 ? steps / 8 : 1))
keep = 1

[run]
trace_steps = 0
TOML
    mv "$path.partial" "$path"
}

finished() { [[ -f $1/model.safetensors ]]; }

# A signal ends the comparison once the run under way is saved; a run whose script has been killed saves itself, too.
child='' stopped=''
stop() {
    stopped=true
    [[ -z $child ]] || kill -TERM "$child" 2>/dev/null || true
}
trap stop TERM INT HUP

run=0 runs=0 done_tokens=0 left_tokens=0
# What is left, by the speed since this start.
left() {
    ((done_tokens > 0)) || return 0
    echo ", about $(((SECONDS * left_tokens / done_tokens + 59) / 60)) min left"
}

# One run, with all cores, unless it is finished.
train() { # NAME FOLDER STEPS OVERRIDE ...
    local name=$1 place=$2 count=$3 status=0
    shift 3
    run=$((run + 1))
    [[ -z $stopped ]] || { tell "stopped: the same command goes on"; exit 75; }
    if finished "$place"; then
        rm -rf "$place/checkpoints" "$place/output.txt"
        return
    fi
    tell "run $run of $runs: ${place#"$folder"/}, $((count * step_tokens)) tokens$(left)"
    mkdir -p "$place"
    # A run whose script was killed may still be saving.
    [[ ! -e $place/run.lock ]] || flock -w 120 "$place/run.lock" true || true
    setsid setpriv --pdeathsig TERM "$gecko" train "$folder/configurations/$name.toml" --resume \
        --run.directory "$place" --training.steps "$count" --optimizer.warmup "$(warmup "$count")" \
        --checkpoint.directory "{run}/checkpoints" --machine.threads 0 "$@" </dev/null >"$place/output.txt" 2>&1 &
    child=$!
    # A signal cuts a wait short.
    while kill -0 "$child" 2>/dev/null; do wait "$child" && status=0 || status=$?; done
    child=''
    if ! finished "$place"; then
        [[ -z $stopped ]] || { tell "stopped: ${place#"$folder"/} is saved, the same command goes on"; exit 75; }
        tail -n 5 "$place/output.txt" >&2
        echo "compare: $place ended with status $status (more in $place/output.txt)" >&2
        exit 1
    fi
    # What is left of a run is its model and its figures.
    rm -rf "$place/checkpoints" "$place/output.txt"
    done_tokens=$((done_tokens + count * step_tokens)) left_tokens=$((left_tokens - count * step_tokens))
    tell "  held-out loss $(held_out "$place") nats"
}

held_out() { LC_ALL=C printf '%.4f' "$(grep -o '"loss": [0-9.e-]*' "$1/positions.json" | cut -d' ' -f2)"; }

# What a rate is in the grid: R times one of these.
factors=(1 0.5 2)
times() { awk -v r="$rate" -v f="$1" 'BEGIN { printf "%.6g", r * f }'; }

# Refuses what isn't fair, and keeps the record of what is equal.
check_fairness() {
    local files=() name
    for name in $names; do files+=("$folder/configurations/$name.toml"); done
    "$gecko" compare --fair "${files[@]}" >"$folder/fairness.txt.partial" || {
        cat "$folder/fairness.txt.partial"
        exit 1
    }
    mv "$folder/fairness.txt.partial" "$folder/fairness.txt"
}

# Table, figures and picture of the runs that are finished.
report() {
    local finished_runs=() name seed
    for name in $names; do
        for ((seed = 1; seed <= seeds; seed++)); do
            ! finished "$folder/$name-$seed" || finished_runs+=("$folder/$name-$seed")
        done
    done
    "$gecko" compare "${finished_runs[@]}" --svg "$folder/loss.svg" --overwrite >"$folder/table.md"
    "$gecko" compare "${finished_runs[@]}" --json >"$folder/comparison.json"
}

for name in $names; do configure "$name" "$rate"; done
check_fairness
for name in $names; do
    for factor in "${factors[@]}"; do
        runs=$((runs + 1))
        finished "$folder/grid/$name-x$factor" || left_tokens=$((left_tokens + grid_steps * step_tokens))
    done
    for ((seed = 1; seed <= seeds; seed++)); do
        runs=$((runs + 1))
        finished "$folder/$name-$seed" || left_tokens=$((left_tokens + steps * step_tokens))
    done
done

SECONDS=0
tell "comparison of ${names// /, }: $settings; $grid_steps steps a run of the grid, $steps a run"
for factor in "${factors[@]}"; do
    for name in $names; do
        train "$name" "$folder/grid/$name-x$factor" "$grid_steps" --optimizer.learning_rate "$(times "$factor")" \
            --training.seed 1 --training.evaluate_sequences 32
    done
done

# The rate of each is the one whose short run has the least held-out loss; a best one at the grid's edge is told.
printf '%-16s %-10s %s\n' name rate 'held-out loss of the grid x0.5, x1, x2' >"$folder/rates.txt.partial"
for name in $names; do
    best=$("$gecko" compare --best "$folder/grid/$name-x0.5" "$folder/grid/$name-x1" "$folder/grid/$name-x2")
    factor=${best##*-x}
    losses=''
    for other in 0.5 1 2; do losses+=" $(held_out "$folder/grid/$name-x$other")"; done
    note=''
    [[ $factor == 1 ]] || note="  (at the grid's edge)"
    printf '%-16s %-10s%s%s\n' "$name" "$(times "$factor")" "$losses" "$note" >>"$folder/rates.txt.partial"
    configure "$name" "$(times "$factor")"
done
mv "$folder/rates.txt.partial" "$folder/rates.txt"
check_fairness
tell "learning rates, of $folder/rates.txt:"
tell "$(<"$folder/rates.txt")"

for ((seed = 1; seed <= seeds; seed++)); do
    for name in $names; do
        train "$name" "$folder/$name-$seed" "$steps" --training.seed "$seed"
    done
    # After each round, so that an early end has a table, too.
    report
done
tell "$(<"$folder/table.md")"
tell "table    $folder/table.md, figures $folder/comparison.json"
tell "picture  $folder/loss.svg"
tell "record   $folder/fairness.txt, rates $folder/rates.txt"
