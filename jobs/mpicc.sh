# A site's MPI without a pkg-config file: what its compiler wrapper, GECKO_MPICC, adds to a compiler's command becomes
# one, in the build folder that jobs/mpi.sh names. jobs/setup.sh sources this file.

fail_mpicc() {
    echo "setup: GECKO_MPICC: $*" >&2
    exit 1
}

read_mpicc() {
    local shown words word headers='' libraries='' paths='' found=''
    shown=$("$GECKO_MPICC" -show 2>/dev/null) && [[ -n $shown ]] ||
        fail_mpicc "'$GECKO_MPICC -show' says nothing; expected a compiler wrapper of MPI such as mpicc"
    # A word a line, without quotes; what is for the linker, -Wl,A,B or -Xlinker A, as in the linker's own command.
    mapfile -t words < <(xargs -n 1 printf '%s\n' <<<"$shown" | sed '/^-Wl,/{s///;s/,/\n/g}' | grep -vx -- -Xlinker)
    set -- "${words[@]:1}"
    while (($#)); do
        word=$1
        shift
        case $word in
            -[IL] | -rpath) word+=${1:-} && shift ;;&
            -I*)
                headers+=" ${word// /\\ }"
                [[ ! -e ${word#-I}/mpi.h ]] || found=yes
                ;;
            -L*) libraries+=" ${word// /\\ }" paths+=":${word#-L}" ;;
            -l*) libraries+=" $word" ;;
            -rpath*) word=${word#-rpath} && paths+=":${word#=}" ;;
            /*.so | /*.so.* | /*.a) libraries+=" -L${word%/*} -l:${word##*/}" paths+=":${word%/*}" ;;
        esac
    done
    [[ -n $found || -e /usr/include/mpi.h ]] ||
        fail_mpicc "'$GECKO_MPICC -show' names no folder that holds mpi.h: $shown"
    mkdir -p "$build/mpi"
    printf '%s\n' "Name: gecko-mpi" "Description: what $GECKO_MPICC adds" "Version: 1" "Cflags:$headers" \
        "Libs:$libraries" >"$build/mpi/gecko-mpi.pc"
    export PKG_CONFIG_PATH=$PWD/$build/mpi${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH} GECKO_MPI_PKGCONFIG=gecko-mpi
    # Where the system looks in any case needs no mention.
    GECKO_MPI_RUNPATH=$(tr ':' '\n' <<<"$paths" | grep -vE '^$|^/(usr/)?lib(64|/[^/]*)?/?$' | awk '!seen[$0]++' |
        paste -sd: || true)
    export GECKO_MPI_RUNPATH
}
