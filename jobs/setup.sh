#!/usr/bin/env bash
# Makes a Debian or Ubuntu machine ready and builds gecko in release: checks Swift, installs the packages that are missing.
# GECKO_MPI=mpich builds with MPICH; GECKO_MPICC and GECKO_MPI_PKGCONFIG with a site's own MPI (jobs/mpi.sh).
# The other scripts source it; they may set extra_packages, build_arguments and build_suffix (of the folder) before.
set -euo pipefail

if [[ ${BASH_SOURCE[0]} == "$0" && ${1:-} == --help ]]; then
    cat <<'TEXT'
usage: bash jobs/setup.sh    install what is missing (apt) and build gecko in release, with Open MPI, into .build
       GECKO_MPI=mpich bash jobs/setup.sh                with MPICH, into .build-mpich
       GECKO_MPICC=/path/to/mpicc bash jobs/setup.sh     with the MPI of this compiler wrapper, into .build-site
       GECKO_MPI_PKGCONFIG=name bash jobs/setup.sh       with the MPI of this pkg-config package, into .build-site
Give the other scripts the same variables; they then take the same build.
TEXT
    exit
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source jobs/mpi.sh
build+=${build_suffix:-}

fail() {
    echo "setup: $*" >&2
    exit 1
}

check_swift() {
    command -v swift >/dev/null ||
        fail "Swift is missing: install a toolchain of 6.2 or newer (https://www.swift.org/install) and put it on PATH"
    local version
    version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -n 1)
    [[ -n $version && $(printf '%s\n' 6.2 "$version" | sort -V | head -n 1) == 6.2 ]] ||
        fail "found Swift ${version:-of an unknown version} at $(command -v swift); 6.2 or newer is needed"
}

installed() {
    [[ $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == "install ok installed" ]]
}

install_packages() {
    local missing=()
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || fail "please install: ${missing[*]} (this script knows apt only)"
    local root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "please run as root: apt-get install ${missing[*]}"
        root=(sudo)
    fi
    echo "setup: installing ${missing[*]}"
    local install=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends)
    # The package lists may be missing or too old: fetch them only then.
    "${install[@]}" "${missing[@]}" || { "${root[@]}" apt-get update -q && "${install[@]}" "${missing[@]}"; }
}

# The Debian packages of the MPI; a site's own is there, and found.
mpi_packages=''
if [[ -n ${GECKO_MPICC:-} ]]; then
    source jobs/mpicc.sh
    read_mpicc
elif [[ -z ${GECKO_MPI_PKGCONFIG:-} ]]; then
    case ${GECKO_MPI:-openmpi} in
        openmpi) mpi_packages="libopenmpi-dev openmpi-bin" ;;
        mpich) mpi_packages="libmpich-dev mpich" ;;
        *) fail "GECKO_MPI=$GECKO_MPI: expected openmpi or mpich; for another MPI set GECKO_MPICC or GECKO_MPI_PKGCONFIG, too" ;;
    esac
fi

check_swift
# Two of the packages that SwiftPM fetches hold C++, whose headers a bare Swift toolchain lacks.
[[ -d /usr/include/c++ ]] || extra_packages="${extra_packages:-} g++"
# Of OpenBLAS the build with POSIX threads: the program refuses the serial one.
install_packages git pkg-config $mpi_packages libhwloc-dev libopenblas-dev libopenblas-pthread-dev \
    ${extra_packages:-}
[[ -z ${GECKO_MPI_PKGCONFIG:-} ]] || pkg-config --exists "$GECKO_MPI_PKGCONFIG" ||
    fail "GECKO_MPI_PKGCONFIG: pkg-config knows no package '$GECKO_MPI_PKGCONFIG' (PKG_CONFIG_PATH says where it looks)"
# For `gecko --version`; Package.swift says why.
if GECKO_COMMIT=$(git rev-parse HEAD 2>/dev/null); then
    [[ -z $(git status --porcelain 2>/dev/null) ]] || GECKO_COMMIT+=+
    export GECKO_COMMIT
fi
echo "setup: building in release (the first time takes a few minutes)"
swift build -c release --scratch-path "$build" ${build_arguments:-}
