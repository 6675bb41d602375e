#!/usr/bin/env bash
# Strong and weak scaling of a model by the planner, as tables: for each number of nodes the best layout's simulated step.
#
#     bash docs/plans/scaling.sh MODEL [CLUSTER]        such as docs/plans/gecko-1b.toml docs/plans/cluster-64.toml
#
# Strong: 1024 sequences a step on any number of nodes. Weak: four sequences a node. CLUSTER's number of nodes does not count.
set -euo pipefail

if [[ $# -lt 1 || $1 == --help ]]; then
    sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    [[ ${1:-} == --help ]] && exit || exit 2
fi
model=$(realpath "$1") cluster=$(realpath "${2:-$(dirname "${BASH_SOURCE[0]}")/cluster-64.toml}")
gecko=$(realpath "${GECKO:-$(dirname "${BASH_SOURCE[0]}")/../../.build/release/gecko}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

table() { # TITLE SEQUENCES-PER-NODE (0: 1024 in all)
    local nodes batch first=
    echo "| $1: nodes | sequences | layout | threads | slice | bubble | step | tokens/s | tokens/s a node | efficiency |"
    echo "|--:|--:|:--|--:|--:|--:|--:|--:|--:|--:|"
    for nodes in 1 4 16 64 256 1024; do
        batch=$(($2 ? nodes * $2 : 1024))
        sed -E "s/^nodes = .*/nodes = $nodes/" "$cluster" >"$folder/cluster.toml"
        sed -E "s/^batch = .*/batch = $batch/" "$model" >"$folder/model.toml"
        if ! "$gecko" plan "$folder/cluster.toml" "$folder/model.toml" --json --top 1 >"$folder/plan.json" 2>"$folder/problem"; then
            echo "| $nodes | $batch | does not fit | | | | | | | |"
            continue
        fi
        value() { sed -nE "s/.*\"best\": \[\{[^}]*\"$1\": \"?([^,\"}]+).*/\1/p" "$folder/plan.json"; }
        : "${first:=$(awk "BEGIN { print $(value tokens_per_second) / $nodes }")}"
        awk -v n="$nodes" -v b="$batch" -v f="$first" -v s="$(value stages)" -v v="$(value virtual_stages)" -v r="$(value replicas)" \
            -v x="$(value schedule)" -v t="$(value threads)" -v l="$(value slice)" -v u="$(value bubble)" -v m="$(value step_time)" \
            -v k="$(value tokens_per_second)" -v c="$(value recompute)" 'BEGIN {
                printf "| %d | %d | %d%s stages x %d, %s%s | %d | %d | %.1f %% | %.4g s | %.4g | %.4g | %.0f %% |\n",
                    n, b, s, (v > 1 ? " x " v : ""), r, x, (c == "true" ? ", recompute" : ""), t, l, 100 * u, m / 1000, k, k / n, 100 * k / n / f
            }'
    done
    echo
}

table Strong 0
table Weak 4
