#!/usr/bin/env bash
# Measures every figure of docs/performance.md: tokens/s, utilisation and breakdowns, the peer, scaling over cores and ranks, start-up, the guards.
# Results go to runs/benchmark: text and pictures. It takes about an hour; nothing else should run meanwhile.
set -euo pipefail

if [[ ${1:-} == --help ]]; then
    echo "usage: bash jobs/benchmark.sh [PYTHON]    PYTHON: an interpreter with torch and numpy, for the comparison with PyTorch"
    exit
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${1:-}
source jobs/corpora.sh
extra_packages="valgrind $(corpus_packages kjv)"
build_arguments=--build-tests
source jobs/setup.sh

gecko=$PWD/$build/release/gecko
out=runs/benchmark
mkdir -p "$out" runs/data
mpi_launcher "$gecko" 2
cores=$(nproc)
precisions=(f32)
if grep -q avx512_bf16 /proc/cpuinfo; then precisions+=(bf16); fi

title() { printf '\n== %s\n' "$*"; }

# measure NAME ARGUMENTS...: one run of gecko bench, kept as text and as a picture.
measure() {
    local name=$1
    shift
    title "$name: gecko bench $*"
    "$gecko" bench "$@" --svg "$out/$name.svg" | tee "$out/$name.txt"
}

title "one core: tokens/s, utilisation, breakdown (bars 1 and 2, memory of bar 6)"
for precision in "${precisions[@]}"; do
    for size in XS S L; do
        measure "$size-$precision-1" --size "$size" --precision "$precision" --threads 1
    done
done

# The peer's best variant at a size and precision: each runs once by itself. A variant that needs more than PATIENCE seconds is left out, and
# said to be.
best_variant() {
    local best="" most=0 variant rate
    for variant in "" "--sdpa" "--compile" "--sdpa --compile"; do
        if ! timeout "${PATIENCE:-900}" "$python" jobs/peers/pytorch_gecko.py --size "$1" --dtype "$2" --threads 1 --reps 2 \
            $variant >"$out/peer.txt" 2>&1; then
            echo "  ${variant:-eager}: no figure within ${PATIENCE:-900} s, or an error: $(tail -1 "$out/peer.txt")" >&2
            continue
        fi
        tail -1 "$out/peer.txt" >&2
        rate=$(grep -o '[0-9.]* tokens/s' "$out/peer.txt" | tail -1 | cut -d' ' -f1)
        if awk "BEGIN { exit !($rate > $most) }"; then most=$rate best=$variant; fi
    done
    echo "$best"
}

if [[ -n $python ]]; then
    for precision in "${precisions[@]}"; do
        for size in S L; do
            title "PyTorch at $size in $precision (bars 1 and 2, memory of bar 6)"
            variant=$(best_variant "$size" "$precision")
            title "taking turns with the best: ${variant:-eager}"
            "$gecko" bench --size "$size" --precision "$precision" --threads 1 --steps 1 --rounds "${ROUNDS:-3}" \
                --against "$python jobs/peers/pytorch_gecko.py --size $size --dtype $precision --threads 1 --reps 1 $variant" |
                tee "$out/peer-$size-$precision.txt"
        done
    done
fi

if ((cores >= 2)); then
    title "two cores (bar 3)"
    measure S-two-workers --size S --threads 2
    measure S-two-workers-against-one --size S --threads 2 --steps 1 --rounds 5 \
        --against "$gecko bench --size S --threads 1 --steps 2 --json"
    # Sixteen slices of a chunk; one rank with the same slices in turn, which an MPI rank cannot start itself.
    for round in 1 2 3; do
        measure "S-one-rank-$round" --size S --threads 1 --sequence 8192 --slice 512 --steps 2
        for schedule in 1f1b zb-h1; do
            title "two ranks, $schedule"
            "${launcher[@]}" "$gecko" bench --size S --threads 1 --sequence 8192 --slice 512 --steps 2 \
                --pipeline.schedule "$schedule" | tee "$out/S-two-ranks-$schedule-$round.txt"
        done
    done
fi

title "start-up (bar 7)"
corpus=runs/data/kjv.txt
make_corpus kjv
for starter in "" "${launcher[*]}"; do
    for _ in 1 2 3; do
        start=$(date +%s.%N)
        : >"$out/start-up.txt"
        $starter "$gecko" train jobs/quickstart.toml --training.steps 3 --run.overwrite true --run.directory "$out/start-up" >"$out/start-up.txt" &
        child=$!
        until grep -q "^1/3 " "$out/start-up.txt" || ! kill -0 $child 2>/dev/null; do sleep 0.01; done
        awk -v from="$start" -v to="$(date +%s.%N)" -v launcher="${starter:-alone}" \
            'BEGIN { printf "%s: the first step was done after %.2f s\n", launcher, to - from }'
        wait $child
    done
done

title "guards (bars 6 and 8)"
swift test -c release --scratch-path "$build" --skip-build --filter 'InstructionCountTests|StartUpTests|AllocationTests'
echo
echo "results and pictures: $out"
