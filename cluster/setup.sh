#!/usr/bin/env bash
# Like jobs/setup.sh, with what the virtual Slurm cluster of cluster/dev needs besides.
set -euo pipefail

if [[ ${1:-} == --help ]]; then
    echo "usage: bash cluster/setup.sh    install what is missing for gecko and for cluster/dev (apt), and build gecko"
    exit
fi

extra_packages="slurmctld slurmd slurm-client munge iproute2 ${extra_packages:-}"
source "$(dirname "${BASH_SOURCE[0]}")/../jobs/setup.sh"
