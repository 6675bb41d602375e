# Real texts that Debian packages ship, for the scripts that train on them; they source this file from the project's folder.
#
#   kjv      the King James Bible, 4.4 MB of prose
#   python   the standard library of Python, code and its comments; of Python 3.11 7.9 MB

# The packages that a text is made of, for jobs/setup.sh (extra_packages).
corpus_packages() { # NAME
    case $1 in
        kjv) echo bible-kjv ;;
        python) echo libpython3-stdlib ;;
    esac
}

kjv_text() { bible -f "Gen1:1-Rev22:21"; }

# Modules in an order that is the same everywhere but not by name, so that the text's end, which is held out, is of all
# kinds. Tests and tables are left out: the ones repeat themselves, the others are neither prose nor code.
python_text() {
    local packages
    mapfile -t packages < <(dpkg-query -W -f '${Status} ${Package}\n' 'libpython3.*-stdlib' 'libpython3.*-minimal' |
        sed -n 's/^install ok installed //p')
    dpkg -L "${packages[@]}" | grep '\.py$' | grep -vE '/(tests?|encodings|pydoc_data|idlelib|turtledemo|lib2to3/tests)/' |
        LC_ALL=C sort -u | shuf --random-source=<(yes) | xargs cat
}

# Makes a text unless it is there, and leaves its path in `corpus`.
make_corpus() { # NAME
    corpus=runs/data/$1.txt
    [[ ! -s $corpus ]] || return 0
    mkdir -p "${corpus%/*}"
    "$1_text" >"$corpus.partial"
    mv "$corpus.partial" "$corpus"
}
