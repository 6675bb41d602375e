#!/usr/bin/env bash
# Gets nodes and opens a shell on them, to try things; leaving the shell gives them back. In gecko's folder:
#
#     bash jobs/interactive.sh --nodes 2 --ntasks-per-node 1 --time 30:00
#         topology                         # who is where
#         train run.toml                   # on all of these nodes, log on the screen
#     bash jobs/interactive.sh --nodes 2 -- train run.toml      # one command instead of a shell
set -euo pipefail

if [[ ${1:-} == --help ]]; then
    sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
options=()
while (($#)) && [[ $1 != -- ]]; do
    options+=("$1")
    shift
done
(($# == 0)) || shift

# What the shell starts with.
setup='
    source jobs/slurm.sh
    set +eu
    train() { "${on_ranks[@]}" "$gecko" train "$@"; }
    topology() { "${on_ranks[@]}" "$gecko" topology "$@"; }
    tell "nodes     $SLURM_JOB_NUM_NODES ($SLURM_JOB_NODELIST) of job $SLURM_JOB_ID, $SLURM_NTASKS rank(s)"
    PS1="gecko $SLURM_JOB_ID> "
'
if (($#)); then
    exec salloc --exclusive --ntasks-per-node=1 "${options[@]}" bash -c "$setup"'"$@"' shell "$@"
else
    exec salloc --exclusive --ntasks-per-node=1 "${options[@]}" bash --rcfile <(echo "$setup") -i
fi
