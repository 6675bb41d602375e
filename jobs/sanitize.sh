#!/usr/bin/env bash
# Runs the tests of threads, messages and the engine under ThreadSanitizer and AddressSanitizer.
#
#     bash jobs/sanitize.sh [thread|address ...]      both if none is named
#
# Release builds of their own, in .build-thread and .build-address, take about ten minutes of a core and two gigabytes each,
# the tests a few minutes more. Suites that only compute, in one thread and on numbers of their own, are left out.
set -euo pipefail

[[ ${1:-} != --help ]] || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit; }
cd "$(dirname "${BASH_SOURCE[0]}")/.."
kinds=("$@")
((${#kinds[@]})) || kinds=(thread address)
for kind in "${kinds[@]}"; do
    [[ $kind == thread || $kind == address ]] || { echo "sanitize: expected thread or address, found '$kind'" >&2; exit 64; }
done
source jobs/mpi.sh

# A finding ends the test with an error. Leaks are what a command leaves to the system at its end.
export TSAN_OPTIONS="suppressions=$PWD/jobs/tsan.supp ${TSAN_OPTIONS:-}"
export ASAN_OPTIONS="detect_leaks=0 ${ASAN_OPTIONS:-}"
declare -A suites=(
    # Teams and executors, transports and sums between threads, layouts and replicas of the engine.
    [thread]='TeamTests|ThreadExecutorTests|InMemoryFabricTests|OrderedSumTests|LayoutTests|ReplicaTests|ShardingTests|SnapshotTests|StashTests'
    # The same, and whoever computes with pointers or reads hostile bytes.
    [address]='TeamTests|ThreadExecutorTests|InMemoryFabricTests|OrderedSumTests|WireTests|LayoutTests|ReplicaTests|SnapshotTests|StashTests|EquationTests|ModelTests|CheckpointTests|FilesTests'
)
# ThreadSanitizer needs to see the locks (Sources/Locks).
declare -A flags=([thread]='-Xswiftc -DTHREAD_SANITIZER' [address]='')
for kind in "${kinds[@]}"; do
    echo "sanitize: $kind"
    build=(-c release --scratch-path ".build-$kind" --sanitize "$kind" ${flags[$kind]})
    swift build "${build[@]}" --build-tests
    # ThreadSanitizer's shadow has no room for where the system puts memory at random.
    setarch -R swift test "${build[@]}" --skip-build --filter "${suites[$kind]}"
done
echo "sanitize: nothing found"
