#!/usr/bin/env bash
# Job scripts and launchers on a virtual Slurm cluster: `bash Tests/ClusterTests/run.sh [NAME...]` runs the tests of these names, or all.
# Each test is a function in a file beside this one; the cluster is gone when the script ends, however it ends. CLUSTER_OPTIONS=--plain tries
# the nodes that need no root.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# All: those that mostly wait run beside the others, on a cluster of their own.
if (($# == 0)); then
    waiting=$(mktemp)
    bash Tests/ClusterTests/run.sh ^test_interrupted_ >"$waiting" 2>&1 &
    trap 'kill $! 2>/dev/null || true; rm -f "$waiting"' EXIT
    trap 'exit 130' INT TERM HUP
    status=0
    LEAVE_OUT=^test_interrupted_ bash Tests/ClusterTests/run.sh . || status=$?
    wait $! || status=$?
    cat "$waiting"
    exit "$status"
fi

folder=$(mktemp -d)
cluster=$folder/c
trap 'cluster/dev down "$cluster" 2>/dev/null; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM HUP

source jobs/mpi.sh
source Tests/ClusterTests/support.sh
source Tests/ClusterTests/cluster.sh
source Tests/ClusterTests/launch.sh
source Tests/ClusterTests/commands.sh
source Tests/ClusterTests/requeue.sh
golden=$PWD/Tests/ModelTests/Fixtures

# A path that holds gecko's files under this folder, so that job scripts run as printed and leave nothing here.
mkdir -p "$folder/gecko"
ln -s "$PWD/jobs" "$PWD/$build" "$PWD/cluster" "$folder/gecko"
cd "$folder/gecko"
make_run

cluster/dev up "$cluster" -n 3 --until-exit $$ ${CLUSTER_OPTIONS:-}
if [[ $(<"$cluster/backend") == plain ]]; then
    echo "cluster tests: NODES ARE NOT NAMESPACES HERE: tests of cables and of host names are SKIPPED" >&2
fi

for test in $(selected "$@"); do run "$test"; done
echo "cluster tests: $passed passed, $failed failed, $skipped skipped, $SECONDS s"
((failed == 0))
