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

gecko=$(realpath "${GECKO:-$(dirname "${BASH_SOURCE[0]}")/../.build/release/gecko}")
if ((EUID == 0)); then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
logs=runs/logs/mpirun-$(printf '%(%Y%m%d-%H%M%S)T' -1)
mkdir -p "$logs" 2>/dev/null && log=(--output-filename "$PWD/$logs") || log=()
tell "nodes     $nodes of $hosts"
tell "train     $*"
if ((${#log[@]})); then
    tell "log       $PWD/$logs/1/rank.*/stdout"
else
    tell "log       here: $PWD/$logs cannot be made"
fi
# By slot: neighbouring ranks, and with them neighbouring stages, share a node. gecko pins its threads itself.
exec mpirun --hostfile "$hosts" --map-by slot --bind-to none --wdir "$PWD" ${log[@]+"${log[@]}"} "$gecko" train "$@"
