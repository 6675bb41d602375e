#!/usr/bin/env bash
# Trains a small byte-level Gecko on the King James text as two pipeline stages, two MPI ranks, in about two minutes.
set -euo pipefail

if [[ ${1:-} == --help ]]; then
    echo "usage: bash jobs/quickstart.sh [--section.key value ...]    set up, train jobs/quickstart.toml anew, show the result"
    exit
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/corpora.sh
extra_packages=$(corpus_packages kjv)
source jobs/setup.sh
source jobs/tell.sh
make_corpus kjv

mpi_launcher "$build/release/gecko" 2
"${launcher[@]}" "$build/release/gecko" train jobs/quickstart.toml --run.overwrite true "$@"

run=runs/quickstart
tell
tell "loss curve          $run/loss.svg"
tell "pipeline timeline   $run/timeline.svg"
tell "pipeline trace      $run/trace.json    (open it in https://ui.perfetto.dev)"
tell "figures and model   $run/metrics.jsonl, $run/config.toml, $run/model.safetensors"
