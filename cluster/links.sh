#!/usr/bin/env bash
# Do slow cables slow a pipeline down? The step time of 4 ranks on 2 virtual nodes over fast and over slow cables, in turns, and what the
# simulator says of both from the costs that were measured over the fast ones. Needs root, gecko's build and the quickstart's corpus.
#
#     bash cluster/links.sh [--rate 1gbit] [--delay 100us] [--turns 2] [settings of gecko train ...]
set -euo pipefail

if [[ ${1:-} == --help ]]; then
    sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/mpi.sh
rate=1gbit delay=100us turns=2
while [[ ${1:-} == --rate || ${1:-} == --delay || ${1:-} == --turns ]]; do
    printf -v "${1#--}" %s "$2"
    shift 2
done

folder=$(mktemp -d)
trap 'for c in fast slow; do cluster/dev down "$folder/$c" 2>/dev/null || true; done; rm -rf "$folder"' EXIT

# Seconds of the steps of a run, without the first ones, which warm up.
steps() { sed -nE 's/.*"seconds":([0-9.e-]+).*/\1/p' "$1/metrics.jsonl" | tail -n +4; }
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
simulated() { # LINK: milliseconds of a step
    "$gecko" simulate --schedule "$folder/fast-1/schedule.txt" --costs "$folder/fast-1/costs.json" --nodes 0,0,1,1 \
        --network "$1" --json | tr ',{' '\n\n' | sed -nE 's/ *"(step_time|makespan)": *([0-9.e+-]+).*/\2/p' | head -n 1
}

cluster/dev up "$folder/fast" -n 2
cluster/dev up "$folder/slow" -n 2 --rate "$rate" --delay "$delay"
for ((turn = 1; turn <= turns; turn++)); do
    for cables in fast slow; do
        cluster/dev exec "$folder/$cables" srun -N 2 --ntasks-per-node 2 --distribution=block --mpi="$(mpi_slurm "$gecko")" "$gecko" train \
            jobs/quickstart.toml --training.steps 20 --training.sample_tokens 0 --training.evaluate_every 0 --data.held_out 0 \
            --checkpoint.every 0 --machine.threads 1 "$@" --run.directory "$folder/$cables-$turn" >"$folder/$cables-$turn.log" ||
            { cat "$folder/$cables-$turn.log"; exit 1; }
        steps "$folder/$cables-$turn" >>"$folder/$cables.steps"
        echo "turn $turn, $cables cables: $(steps "$folder/$cables-$turn" | median) s a step, $(tail -n 1 "$folder/$cables-$turn.log")"
    done
done
fast=$(median <"$folder/fast.steps") slow=$(median <"$folder/slow.steps")
echo "measured:  $fast s over fast cables, $slow s over $rate and $delay: $(awk "BEGIN { printf \"%+.1f %%\", 100 * ($slow / $fast - 1) }")"
a=$(simulated 20us,20gbit) b=$(simulated "$delay,$rate")
echo "simulated: $a ms over fast cables, $b ms over $rate and $delay: $(awk "BEGIN { printf \"%+.1f %%\", 100 * ($b / $a - 1) }")"
mkdir -p runs/links
cp "$folder/slow-1/timeline.svg" "$folder/slow-1/trace.json" runs/links/
echo "a step over slow cables: runs/links/timeline.svg, runs/links/trace.json (https://ui.perfetto.dev)"
