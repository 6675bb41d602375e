#!/usr/bin/env bash
# Runs the tests of threads, messages and the engine under ThreadSanitizer and AddressSanitizer.
#
#     bash jobs/sanitize.sh [thread|address ...]      both if none is named
#
# Debug builds of their own, in .build-thread and .build-address, take some minutes and gigabytes each.
set -euo pipefail

[[ ${1:-} != --help ]] || { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit; }
cd "$(dirname "${BASH_SOURCE[0]}")/.."
kinds=("$@")
((${#kinds[@]})) || kinds=(thread address)
for kind in "${kinds[@]}"; do
    [[ $kind == thread || $kind == address ]] || { echo "sanitize: expected thread or address, found '$kind'" >&2; exit 64; }
done
source jobs/mpi.sh

# The first race, overflow or use of freed memory ends the test. Leaks are what a command leaves to the system at its end.
export TSAN_OPTIONS="halt_on_error=1 ${TSAN_OPTIONS:-}"
export ASAN_OPTIONS="detect_leaks=0 ${ASAN_OPTIONS:-}"
declare -A suites=(
    # Teams and executors, transports and sums between threads, layouts and replicas of the engine.
    [thread]='HardwareTests|InMemoryFabricTests|OrderedSumTests|LayoutTests|ReplicaTests|ShardingTests|SnapshotTests|StashTests'
    # The same, and whoever computes with pointers or reads hostile bytes.
    [address]='HardwareTests|InMemoryFabricTests|OrderedSumTests|LayoutTests|ReplicaTests|SnapshotTests|StashTests|KernelTests|ModelTests|CheckpointTests|FilesTests'
)
for kind in "${kinds[@]}"; do
    echo "sanitize: $kind"
    swift test --scratch-path ".build-$kind" --sanitize "$kind" --filter "${suites[$kind]}"
done
echo "sanitize: nothing found"
