#!/usr/bin/env bash
# Trains by mpirun on the nodes of a hostfile, without a batch system. The nodes see this folder under the same path, and ssh reaches them
# without a password.
#
#     bash jobs/hostfile.sh HOSTFILE run.toml [--section.key value ...]
#
# HOSTFILE has a line a node, with as many slots as ranks are to run there:
#     node1 slots=2
#     node2 slots=2
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tell.sh"

if [[ $# -lt 2 || $1 == --help ]]; then
    sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    [[ ${1:-} == --help ]] && exit || exit 2
fi
[[ -r $1 ]] || { tell "hostfile: cannot read $1" >&2; exit 1; }
hosts=$(realpath "$1")
shift
nodes=$(grep -cE '^[[:space:]]*[^#[:space:]]' "$hosts") || { tell "hostfile: $hosts names no node" >&2; exit 1; }

source "$(dirname "${BASH_SOURCE[0]}")/mpi.sh"
gecko=$(realpath "${GECKO:-$(dirname "${BASH_SOURCE[0]}")/../$build/release/gecko}")
mpi_launcher "$gecko"
logs=$PWD/runs/logs/mpirun-$(printf '%(%Y%m%d-%H%M%S)T' -1)
mkdir -p "$logs" 2>/dev/null && [[ -w $logs ]] || logs=''
mpi_hosts "$hosts" "$logs"
tell "nodes     $nodes of $hosts"
tell "train     $*"
tell "log       $log"
exec "${launcher[@]}" "$gecko" train "$@"
