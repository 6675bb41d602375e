#!/usr/bin/env bash
# Starts a training command again until it has come to its end: after a signal that made it save and stop (exit code 75), after a
# rank died or was lost (69, or 128 and more). What starting again won't mend (1: a wrong setting, a diverging run) ends it.
#
#     bash jobs/restart.sh [--limit 100] [--pause 5] mpirun -np 2 .build/release/gecko train run.toml
#
# SIGTERM, SIGUSR1, SIGUSR2, SIGINT, SIGHUP or SIGXCPU to this script stop the run in good order (it saves) and the loop with it: exit code 75,
# and the same line goes on another time. A second signal ends the run at once. What this script says may be lost, on a full disk or with
# the terminal; the loop goes on. docs/running.md says more.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tell.sh"
set -m # the command gets a process group of its own, so that Ctrl-C reaches it only through this script

usage() {
    tell "usage: bash jobs/restart.sh [--limit RESTARTS] [--pause SECONDS] COMMAND ..." >&2
    exit 64
}

limit=100 pause=5
while [[ ${1:-} == --* ]]; do
    [[ $1 == --help ]] && { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit; }
    [[ $# -ge 2 && $1 =~ ^--(limit|pause)$ && $2 =~ ^[0-9]{1,9}$ ]] || usage
    declare "${1#--}=$((10#$2))"
    shift 2
done
(($#)) || usage

source "$(dirname "${BASH_SOURCE[0]}")/mpi.sh" # what a launcher's exit status means

child='' signals=0
# USR1 is the signal that mpirun and srun hand on and leave the ranks their time; after a TERM mpirun kills them within two seconds.
pass_on() {
    signals=$((signals + 1))
    [[ -z $child ]] || warn_child
}
warn_child() {
    local name=USR1
    ((signals == 1)) || name=TERM
    kill -s "$name" "$child" 2>/dev/null || true
}
trap pass_on TERM USR1 USR2 INT HUP XCPU

# The command's exit status; 75 when a signal came before it. A trapped signal interrupts the wait, not the command: then it waits again.
run() {
    ((signals == 0)) || return 75
    "$@" &
    child=$!
    ((signals == 0)) || warn_child # it came in between
    local status before
    while true; do
        before=$signals
        wait "$child" && status=0 || status=$?
        ((signals != before)) || break
    done
    child=''
    return "$status"
}

for ((restarts = 0, deaths = 0; ; restarts++)); do
    look_at_clock
    ((restarts == 0)) || tell "restart: number $restarts of at most $limit, $now"
    run "$@" && status=0 || status=$?
    status=$(mpi_status "$status" "$@")
    # Now and then MPICH's launcher has 0 after it handed a signal on, whatever its ranks ended with.
    if ((status == 0 && signals > 0)) && mpi_is_hydra "$@"; then status=75; fi
    ((status != 0)) || exit 0
    ((signals == 0)) || { tell "restart: stopped by a signal; the command ended with $status"; exit "$status"; }
    case $status in
        75) deaths=0 wait=0 ;;
        69 | 12[89] | 1[3-9]? | 2??)
            # A machine that keeps failing gets longer and longer breaks, up to 64 times the pause.
            wait=$((pause << (deaths < 6 ? deaths : 6)))
            deaths=$((deaths + 1))
            ;;
        *)
            tell "restart: the command failed with $status, which another start won't mend"
            exit "$status"
            ;;
    esac
    ((restarts < limit)) || { tell "restart: $limit restarts are enough; the command ended with $status"; exit "$status"; }
    tell "restart: the command ended with $status; again in $wait s"
    # A signal ends the break.
    ((wait == 0)) || { sleep "$wait" & wait $! || true; }
    ((signals == 0)) || exit 75
done
