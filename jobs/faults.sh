#!/usr/bin/env bash
# Disturbs small training runs in every way that docs/faults.md lists and shows that none is lost: the same command always goes on, and the
# final parameters are those of a run that was never disturbed, byte for byte.
#
#     bash jobs/faults.sh [--short] [--seed N] [--keep]     a line a fault; the last one counts them
#
# --short tries a few of each kind; --seed chooses other random moments; --keep leaves the runs and their logs. Exit code 0: nothing was
# lost. GECKO names another gecko. It starts and ends only processes of its own, in a folder of its own.
set -euo pipefail

usage() {
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit "$1"
}

short='' keep='' RANDOM=1
while (($#)); do
    case $1 in
        --short) short=1 ;;
        --keep) keep=1 ;;
        --seed) RANDOM=${2:?--seed wants a number} && shift ;;
        --help) usage 0 ;;
        *) usage 64 >&2 ;;
    esac
    shift
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/mpi.sh
gecko=$(realpath "$gecko")
[[ -x $gecko ]] || { echo "faults: no program at $gecko: build it (bash jobs/setup.sh) or set GECKO" >&2; exit 1; }
mpi_launcher "$gecko" 2
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none

source jobs/faults/run.sh
source jobs/faults/kinds.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/gecko-faults.XXXXXX")
trap clean_up EXIT
prepare
trap 'echo "faults: interrupted" >&2; exit 130' INT TERM

started=$SECONDS
signals
second_signals
deaths
points
damage
rubbish
full_disks
standstills
not_numbers
second_runs

echo
for kind in $(printf '%s\n' "${!count[@]}" | sort); do printf '%-26s %4d\n' "$kind" "${count[$kind]}"; done
echo "in $((SECONDS - started)) s"
# A fault of these scripts must not look like a short list.
[[ -n $short ]] || ((total >= 200)) || lost=$((lost + 1))
echo "$total faults of ${#count[@]} kinds, $lost lost"
((lost == 0))
