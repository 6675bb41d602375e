#!/usr/bin/env bash
# Runs tests under ThreadSanitizer, which finds data races, and AddressSanitizer, which finds accesses outside of memory
# that was taken or after it was given back.
#
#     bash jobs/sanitize.sh [thread|address ...] [--filter REGEX]
#
# Both if none is named; --filter takes other tests than this script's. Each has a release build of its own, in
# .build-thread and .build-address: that of threads takes 15 minutes of a core, its tests one to two. Exit status: 0
# when nothing was found, 1 when something was or a test failed, 2 when asked for what it doesn't know.
set -euo pipefail

fail() {
    echo "sanitize: $*; --help tells more" >&2
    exit 2
}
kinds=()
filter=''
while (($#)); do
    case $1 in
        --help)
            sed -n '2,9s/^# \{0,1\}//p' "$0"
            exit
            ;;
        thread | address) kinds+=("$1") ;;
        --filter)
            (($# > 1)) || fail "--filter: expected a regular expression after it"
            filter=$2
            shift
            ;;
        *) fail "expected thread, address or --filter, found '$1'" ;;
    esac
    shift
done
((${#kinds[@]})) || kinds=(thread address)
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Worker pools and executors, transports and sums between threads, the engine over several ranks of one process.
threads='HardwareTests|MPITests|PipelineTests|ArchitectureTests'
declare -A modules=(
    [thread]="$threads"
    # The same, whoever computes with pointers, and whoever reads files that anybody may have written.
    [address]="$threads|KernelTests|ModelTests|VerificationTests|CheckpointTests|FilesTests|TrainingTests"
)
# Left out are tests that start programs: MPI's own libraries know no sanitizer, a slow program runs into their limits,
# and what they look at is a release build's (allocations, instructions, symbols). So are CommandTests, BatchTests and
# PreflightTests, which only start programs or work on text, and ScheduleTests and LibraryTests, which compute without a
# pointer or a thread.
started='MPIRunTests|PlacementTests|AllocationTests|InstructionCountTests|KernelObjectTests|VerifyCommandTests'

# Builds and runs one kind. Reports go into a folder, a file a process, since a test may read what a process prints.
sanitize() { # KIND
    local flags="--build-tests --sanitize $1 -Xswiftc -DSANITIZER"
    # Sources/Locks then has a lock that ThreadSanitizer sees.
    [[ $1 != thread ]] || flags+=" -Xswiftc -DTHREAD_SANITIZER"
    (
        build_suffix=-$1 build_arguments=$flags
        source jobs/setup.sh
        local reports="$PWD/$build/reports" options status=0
        rm -rf "$reports"
        mkdir -p "$reports"
        options="log_path=$reports/$1"
        export TSAN_OPTIONS="$options ${TSAN_OPTIONS:-}"
        # Leaks are no findings: what a process holds at its end, the system takes back.
        export ASAN_OPTIONS="$options detect_leaks=0 ${ASAN_OPTIONS:-}"
        echo "sanitize: testing under the $1 sanitizer"
        # ThreadSanitizer's shadow has no room for where the system puts memory at random; SwiftPM can't start tests
        # without. Into a pipe the tests would write colours, too.
        NO_COLOR=1 setarch -R "$build/release/geckoPackageTests.xctest" --testing-library swift-testing \
            --filter "${filter:-^(${modules[$1]})\\.}" --skip "$started" 2>&1 | tee "$reports/output" |
            { grep --line-buffered -E '^✘|^. Suite .* passed|^. Test run with' || true; } || status=$?
        if compgen -G "$reports/$1.*" >/dev/null; then
            cat "$reports/$1".* >&2
            echo "sanitize: the $1 sanitizer found something: $reports" >&2
            exit 1
        fi
        if ((status != 0)); then
            # The testing library's status when it finds no test by that name.
            ((status != 69)) || echo "sanitize: no test matches '$filter'" >&2
            tail -n 20 "$reports/output" >&2
            echo "sanitize: tests failed under the $1 sanitizer: $reports/output" >&2
            exit 1
        fi
    )
}
for kind in "${kinds[@]}"; do
    SECONDS=0
    sanitize "$kind"
    echo "sanitize: $kind: nothing found, in $((SECONDS / 60)) minutes"
done
