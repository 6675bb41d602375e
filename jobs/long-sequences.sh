#!/usr/bin/env bash
# Time per token and peak memory over the sequence's length, with the stash in memory, recomputed, and on disk:
# the table and the picture of docs/memory.md. About half an hour on two cores.
set -euo pipefail

if [[ ${1:-} == --help ]]; then
    cat <<'TEXT'
usage: bash jobs/long-sequences.sh [FOLDER]    measure into FOLDER (runs/long-sequences), draw its memory.svg
environment: LENGTHS (4096 16384 65536 262144), MODES (memory recompute disk disk+recompute), SIZE (XS, S),
             STEPS (measured steps at least, 2; more of short ones), STASH (a folder on a disk), THREADS (2), MOST (longest sequence in mode memory, 65536)
TEXT
    exit
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-runs/long-sequences}
source jobs/mpi.sh
mkdir -p "$folder"
case ${SIZE:-XS} in
    XS) sizes=(--model.layers 4 --model.dim 192 --model.z_dim 96 --model.value_dim 384 --model.ffn_dim 384 --model.chunk 128) slice=1024 ;;
    S) sizes=(--model.layers 6 --model.dim 512 --model.z_dim 256 --model.value_dim 1024 --model.ffn_dim 1024 --model.chunk 512) slice=512 ;;
    *) echo "SIZE is XS or S, not $SIZE" >&2 && exit 1 ;;
esac
corpus=${CORPUS:-runs/data/kjv.txt}
if [[ ! -s $corpus ]]; then
    echo "no text at $corpus: bash jobs/quickstart.sh fetches it, or set CORPUS" >&2
    exit 1
fi

table=$folder/figures.tsv
printf 'stash\ttokens\tmicroseconds per token\tpeak\texpected\ton disk\n' >"$table"
# Each length once round all modes, so that a change of the machine's mood doesn't fall on one mode only.
for length in ${LENGTHS:-4096 16384 65536 262144}; do
    for mode in ${MODES:-memory recompute disk disk+recompute}; do
        stash=memory recompute=false
        # Short steps are many, so that a passing disturbance does not fall on all of them.
        steps=$((2 * 65536 / length))
        ((steps >= ${STEPS:-2})) || steps=${STEPS:-2}
        [[ $mode == disk* ]] && stash=disk
        [[ $mode == *recompute ]] && recompute=true
        ((length > ${MOST:-65536})) && [[ $mode == memory ]] && continue
        run=$folder/$mode-$length
        log=$run.log
        if ! "$gecko" train --data.path "$corpus" --data.held_out 0 --data.sequence "$length" --training.batch 1 \
            --training.steps $((1 + steps)) --training.sample_tokens 0 --checkpoint.every 0 "${sizes[@]}" \
            --pipeline.slice $slice --pipeline.stages 1 --pipeline.recompute $recompute --pipeline.stash $stash \
            --pipeline.stash_directory "${STASH:-}" --machine.threads "${THREADS:-2}" --run.directory "$run" \
            --run.overwrite true --run.trace_steps 0 >"$log" 2>&1; then
            cat "$log" >&2
            exit 1
        fi
        # The first step warms up; of the others the quickest, since other programs can only make one slower.
        seconds=$(tail -n +2 "$run/metrics.jsonl" | grep -o '"seconds":[^,]*' | cut -d: -f2 | sort -g | head -1)
        peak=$(tail -1 "$run/metrics.jsonl" | grep -o '"peak_rss_bytes":[0-9]*' | cut -d: -f2)
        expected=$(sed -n 's/^memory: \([0-9.]* [KMGT]*i*B\) expected.*/\1/p' "$log")
        spool=$(sed -n 's/^stash:  on disk, \([0-9.]* [KMGT]*i*B\) .*/\1/p' "$log")
        awk -v m="$mode" -v n="$length" -v s="$seconds" -v p="$peak" -v e="$expected" -v d="${spool:--}" \
            'BEGIN { printf "%s\t%d\t%.1f\t%.1f MiB\t%s\t%s\n", m, n, 1e6 * s / n, p / 1048576, e, d }' | tee -a "$table"
        rm -rf "$run"
    done
done

# Two panels over the logarithm of the length: time per token from zero, memory on a logarithmic axis.
awk -F'\t' -v size="${SIZE:-XS}" '
    function x(n) { return (log(n) - lo) / (hi - lo) * 330 }
    function yt(t) { return 290 - t / top * 270 }
    function ym(b) { return 290 - (log(b) - blo) / (bhi - blo) * 270 }
    function label(px, py, s, extra) { printf "<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", px, py, extra, s }
    function words(n) { return n >= 1024 ? n / 1024 "k" : n }
    NR > 1 {
        count++; mode[count] = $1; length_[count] = $2; time[count] = $3; split($4, f, " "); bytes[count] = f[1]
        if (!($1 in colour)) { order[++modes] = $1; colour[$1] = modes }
        if ($3 > top) top = $3
        if (!lo || log($2) < lo) lo = log($2)
        if (log($2) > hi) hi = log($2)
        if (f[1] > most) most = f[1]
        if (!least || f[1] < least) least = f[1]
    }
    END {
        split("#2f6fbf #d2571e #2e8b57 #8a4fbf", palette, " ")
        top *= 1.15; if (hi == lo) hi = lo + 1
        low = 1; while (low * 2 <= least) low *= 2
        high = low; while (high < most) high *= 2
        blo = log(low); bhi = log(high)
        print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 900 420\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#1f2933\">"
        print "<rect width=\"900\" height=\"420\" fill=\"#ffffff\"/>"
        label(20, 28, "A step over one sequence, size " size ": time per token and peak memory over the length", "font-size=\"16\" font-weight=\"bold\"")
        for (panel = 0; panel < 2; panel++) {
            printf "<g transform=\"translate(%d,60)\">\n", panel ? 520 : 70
            label(0, -6, panel ? "peak memory of the process" : "microseconds per token", "fill=\"#5f6b7a\"")
            if (panel) {
                for (b = low; b <= high; b *= 2) {
                    printf "<path d=\"M0 %.1fH330\" stroke=\"#e4e8ee\"/>\n", ym(b)
                    label(-8, ym(b) + 4, (b >= 1024 ? b / 1024 " GiB" : b " MiB"), "text-anchor=\"end\"")
                }
            } else {
                tick = 10 ^ int(log(top) / log(10)); if (top / tick < 3) tick /= 5
                for (t = 0; t <= top; t += tick) {
                    printf "<path d=\"M0 %.1fH330\" stroke=\"#e4e8ee\"/>\n", yt(t)
                    label(-8, yt(t) + 4, t, "text-anchor=\"end\"")
                }
            }
            for (m = 1; m <= modes; m++) {
                path = ""
                for (i = 1; i <= count; i++) if (mode[i] == order[m]) {
                    y = panel ? ym(bytes[i]) : yt(time[i])
                    path = path (path == "" ? "M" : "L") sprintf("%.1f %.1f", x(length_[i]), y)
                    printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", x(length_[i]), y, palette[m]
                    marked[length_[i]] = 1
                }
                printf "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", path, palette[m]
            }
            for (n in marked) label(x(n), 308, words(n), "text-anchor=\"middle\"")
            label(165, 328, "tokens of the sequence", "text-anchor=\"middle\" fill=\"#5f6b7a\"")
            print "</g>"
        }
        for (m = 1; m <= modes; m++) {
            printf "<rect x=\"%d\" y=\"398\" width=\"14\" height=\"4\" fill=\"%s\"/>\n", 70 + 190 * (m - 1), palette[m]
            label(90 + 190 * (m - 1), 404, order[m], "")
        }
        print "</svg>"
    }' "$table" >"$folder/memory.svg"
echo "table $table, picture $folder/memory.svg"
