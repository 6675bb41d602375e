#!/usr/bin/env bash
# Sets up, builds in release and runs every test, those over several MPI ranks included.
set -euo pipefail

if [[ ${1:-} == --help ]]; then
    echo "usage: bash jobs/test.sh [swift test options, such as --filter Name]    set up, build and run the tests"
    exit
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
build_arguments=--build-tests
source jobs/setup.sh

if swift test -c release --skip-build "$@"; then
    echo "tests: all passed"
else
    status=$?
    echo "tests: FAILED" >&2
    exit "$status"
fi
