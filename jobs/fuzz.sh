#!/usr/bin/env bash
# Feeds hostile bytes to the readers of safetensors, JSON and manifests, with libFuzzer and the address sanitizer.
set -euo pipefail

seconds=${1:-60}
if [[ $seconds == --help || ! $seconds =~ ^[0-9]+$ ]]; then
    echo "usage: bash jobs/fuzz.sh [seconds]    fuzz the readers (60 seconds), exit 1 if one crashes, hangs or takes too much memory"
    exit $([[ $seconds == --help ]] && echo 0 || echo 2)
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=.build/fuzz
mkdir -p "$work/found"
c=Sources/Checkpoints
flags=(-O -swift-version 6 -package-name gecko -parse-as-library -sanitize=fuzzer,address)
swiftc "${flags[@]}" -emit-module -emit-module-path "$work/JSON.swiftmodule" -module-name JSON \
    -emit-object -wmo -o "$work/JSON.o" Sources/JSON/*.swift
# The linker warns of symbols of the sanitizer that it need not export.
swiftc "${flags[@]}" -I "$work" Tests/Fuzz/Readers.swift "$c"/Manifest/{Manifest,Manifest+Fields,ManifestFields}.swift \
    "$c"/Safetensors/{SafetensorsError,SafetensorsHeader,TensorEntry,TensorType}.swift "$work/JSON.o" -o "$work/readers" 2>&1 |
    { grep -v "Cannot export local symbol" || true; }
if "$work/readers" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="$work/" "$work/found" Tests/CheckpointTests/Corpus 2>"$work/log"; then
    sed -n 's/^stat::number_of_executed_units: */fuzz: inputs read without a fault: /p' "$work/log"
else
    tail -n 30 "$work/log" >&2
    echo "fuzz: a reader failed; the input lies in $work" >&2
    exit 1
fi
