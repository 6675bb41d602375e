#!/usr/bin/env bash
# Sets up, builds in release and runs every test, those over several MPI ranks and on a virtual Slurm cluster included.
set -euo pipefail

if [[ ${1:-} == --help ]]; then
    echo "usage: bash jobs/test.sh [swift test options, such as --filter Name]    set up, build and run the tests"
    exit
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
build_arguments=--build-tests
extra_packages=valgrind
source cluster/setup.sh

status=0
swift test -c release --scratch-path "$build" --skip-build "$@" || status=$?
# Asked for some of the Swift tests, it runs no others.
if (($# == 0)); then
    bash Tests/ClusterTests/run.sh || status=$?
fi
if ((status == 0)); then
    echo "tests: all passed"
else
    echo "tests: FAILED" >&2
fi
exit "$status"
