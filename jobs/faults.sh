#!/usr/bin/env bash
# Disturbs small training runs in every way that docs/faults.md lists and shows that none is lost: the same command
# always goes on, and the final parameters are those of a run that was never disturbed, byte for byte.
#
#     bash jobs/faults.sh [--count N] [--seed N] [--kinds NAME,NAME ...] [--short] [--keep] [--list]
#
# A line a fault, then a table. --count: at least so many faults (220 if not given), shared out among the kinds by their
# weights; --seed (1) chooses their order, moments and places; --kinds tries only some; --list names all; --short tries
# one of each of a few kinds; --keep leaves the runs and their logs. Exit code 0: nothing was lost. GECKO names another
# gecko, GECKO_MPICH one that was built with MPICH (there may be one in .build-mpich): runs of two ranks then take
# turns. It starts and ends only processes of its own, in a folder of its own.
set -euo pipefail

# Started by nohup or in the background, this has HUP or INT ignored, and so would every run of it, which respects that:
# such a signal would be no fault.
[[ -n ${GECKO_DEFAULT_SIGNALS:-} ]] || GECKO_DEFAULT_SIGNALS=1 exec env --default-signal bash "$0" "$@"

usage() {
    sed -n '2,11s/^# \{0,1\}//p' "$0"
    exit "$1"
}

count=220 seed=1 chosen='' short='' keep='' list=''
while (($#)); do
    case $1 in
        --count | --seed | --kinds) [[ -n ${2:-} ]] || { echo "faults: $1 wants a value" >&2; exit 64; } ;;&
        --count | --seed)
            [[ $2 =~ ^[0-9]{1,6}$ ]] || {
                echo "faults: $1: expected a number below 1000000, found '$2'" >&2
                exit 64
            }
            ;;&
        --count) count=$((10#$2)) && shift ;;
        --seed) seed=$((10#$2)) && shift ;;
        --kinds) chosen=$2 && shift ;;
        --short) short=1 ;;
        --keep) keep=1 ;;
        --list) list=1 ;;
        --help) usage 0 ;;
        *) usage 64 >&2 ;;
    esac
    shift
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/mpi.sh
source jobs/faults/plan.sh
source jobs/faults/run.sh
# A topic a file: its kinds, a line each, and below them what they do.
for topic in signals deaths standstills checkpoints partners disks outputs folders corpus starters limits numbers; do
    source "jobs/faults/$topic.sh"
done
[[ -z $list ]] || { list_kinds; exit; }

choose_programs
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none

work=$(mktemp -d "${TMPDIR:-/tmp}/gecko-faults.XXXXXX")
trap clean_up EXIT
trap 'echo "faults: interrupted" >&2; exit 130' INT TERM
make_plan
prepare
# What the shell has to say of processes that were killed is of no interest.
exec 3>&2
for task in "${tasks[@]}"; do carry_out "$task" 2>>"$work/shell.log"; done
kind=''
show_table
((lost == 0))
