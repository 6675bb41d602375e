# A text that changes while a run reads it, or between its starts.

for name in truncated grown overwritten replaced removed; do
    kind corpus-$name 4 "while the run reads it: named, 1; with the text as it was the same command goes on" \
        corpus_meanwhile $name
done
kind corpus-changed-between 8 \
    "cut, longer, other or missing at the next start: named, 1; with the text as it was the same command goes on" \
    corpus_between

own_corpus() { cp "$work/corpus.txt" "$run.txt"; }

corpus_meanwhile() { # WAY
    with=(--data.path @.txt) prepare_life=own_corpus mend=own_corpus wanted=${work##*/}/run-.*txt
    at_random either 1 spoil_meanwhile "$1"
}

spoil_meanwhile() { # WAY
    at_work
    spoil "$1"
    did=$1
}

spoil() { # WAY
    local size
    size=$(stat -c %s "$run.txt")
    roll "$size"
    case $1 in
        truncated) truncate -s "$rolled" "$run.txt" ;;
        grown) echo "and one more goose" >>"$run.txt" ;;
        overwritten) printf '\x07' | dd of="$run.txt" bs=1 seek="$rolled" conv=notrunc status=none ;;
        replaced) tr 0-9 1-90 <"$work/corpus.txt" >"$run.txt.new" && mv "$run.txt.new" "$run.txt" ;;
        removed) rm "$run.txt" ;;
    esac
}

corpus_between() {
    local way
    life either --data.path @.txt
    own_corpus
    leg step:60 && step=60
    while next_fault; do
        ahead
        pick truncated grown overwritten replaced removed && way=$picked
        spoil "$way"
        leg ''
        hit "$way" 1
        told "$run.txt"
        own_corpus
        # On its way again, so that the next one meets another state.
        leg "step:$step"
    done
    settle
}
