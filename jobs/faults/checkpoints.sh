# Checkpoints that are damaged while nobody looks, and what dead runs leave behind.

for name in truncated bit-flip missing foreign emptied; do
    kind file-$name 3 "a rank's file of the newest checkpoint: found, the one before is taken" damage file $name
done
for name in truncated bit-flip missing foreign emptied; do
    kind manifest-$name 3 "the manifest of the newest checkpoint: found, the one before is taken" damage manifest $name
done
kind every-checkpoint-damaged 3 "refused, 1, and all is left as it is; what was put back is taken" damage_everything
kind left-over-files 8 "a checkpoint without manifest, a half-removed one, temporary and unknown files" left_over_files

damage() { # file|manifest WAY
    local file new old rank
    life either
    while next_fault; do
        ahead && step=$((step + 45))
        leg "step:$step"
        new=$(newest) old=$(newest 2)
        roll 2 && rank=$rolled
        file=$new/rank-000$rank.safetensors
        [[ $1 == file ]] || file=$new/manifest.json
        case $2 in
            truncated) truncate -s "-$(($(stat -c %s "$file") / 3))" "$file" ;;
            bit-flip) flip "$file" ;;
            missing) rm "$file" ;;
            foreign) cp "$old/$(basename "$file")" "$file" ;;
            emptied) : >"$file" ;;
        esac
        # Seen by a start that dies once it has chosen: it must have chosen the one before.
        leg "resume-chosen:$(step_of "$old")"
        hit "$(basename "$file"), after step $step" 137
    done
    settle
}

flip() { # FILE: one bit, anywhere
    local at byte
    roll "$(stat -c %s "$1")" && at=$rolled
    byte=$(od -An -tu1 -j "$at" -N 1 "$1")
    roll 8
    printf "\\x$(printf '%02x' $((byte ^ (1 << rolled))))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

damage_everything() {
    local file before
    life either
    while next_fault; do
        ahead && step=$((step + 45))
        leg "step:$step"
        cp -r "$run/checkpoints" "$run.kept"
        for file in "$run"/checkpoints/step-*/rank-0000.safetensors; do flip "$file"; done
        before=$(in_folder "$run/checkpoints")
        leg ''
        hit "after step $step" 1
        [[ $(in_folder "$run/checkpoints") == "$before" ]] || fail "something in the folder has changed"
        rm -r "$run/checkpoints" && mv "$run.kept" "$run/checkpoints"
    done
    settle
}

# What a folder holds, as text.
in_folder() { (cd "$1" && find . -type f ! -name run.lock -exec sha256sum {} + | sort -k 2); }

left_over_files() {
    local store
    life either
    leg step:70 && step=70
    store=$run/checkpoints
    while next_fault; do
        ahead
        pick no-manifest half-removed temporary unknown
        case $picked in
            no-manifest) cp -r "$(newest)" "$store/step-00000999" && rm -f "$store/step-00000999/manifest.json" ;;
            half-removed) cp -r "$(newest)" "$store/removing-00000020" ;;
            temporary) head -c 1000 /dev/urandom >"$(newest)/rank-0000.safetensors.partial.1" ;;
            unknown) mkdir -p "$store/step-later" && head -c 1000 /dev/urandom >"$store/manifest.json" ;;
        esac
        leg "step:$step"
        hit "$picked" 137
    done
    settle
}
