# Gradients that are not numbers, on one rank: all skip the step. The run that nothing else disturbs skips it too.

kind not-a-number 8 "two steps: all ranks skip them; the same bytes as the undisturbed run that skips them" not_a_number
kind not-a-number-at-a-checkpoint 4 \
    "in a step whose checkpoint is due, \`training.max_nonfinite = 1\`: 1; that checkpoint is not made" \
    not_a_number_at_a_checkpoint
kind not-a-number-at-the-end 4 \
    "in the last step: 1, no model is published; from the newest finite checkpoint it comes to the right one" \
    not_a_number_at_the_end
kind infinite-parameters 4 "an update ruins the parameters in the last step: 1, neither saved nor published" \
    infinite_parameters
kind not-a-number-for-good 5 "\`training.max_nonfinite\` steps in a row: 1; the checkpoints before are whole" \
    not_a_number_for_good

not_a_number() {
    local nan=gradients:30:1:nan,gradients:31:0:nan
    if [[ -z ${skipping:-} ]]; then
        skipping=$(GECKO_FAULT=$nan digest_of skipping)
        [[ $skipping != "$undisturbed" ]] || fail "skipping two steps changed nothing"
    fi
    while next_fault; do
        life either
        reference=$skipping
        # Dies before, between or after; what it does again includes the steps to skip. (On a busy machine it may die
        # before its first checkpoint is whole, and then does everything again.)
        roll 30 && step=$((28 + rolled))
        leg "$nan,step:$step"
        hit "steps 31 and 32, died before step $((step + 1))" 137
        leg "$nan,step:130"
        settle
    done
}

not_a_number_for_good() {
    life either --training.max_nonfinite 3
    while next_fault; do
        ahead
        # No checkpoint is due between the steps: it would be whole, and without them.
        step=$(((step + 19) / 20 * 20 + step % 17))
        leg "gradients:$step:0:nan,gradients:$((step + 1)):1:nan,gradients:$((step + 2)):0:nan"
        hit "steps $((step + 1)) to $((step + 3))" 1
        told "3 steps in a row"
    done
    settle
}

not_a_number_at_a_checkpoint() {
    life either --training.max_nonfinite 1
    while next_fault; do
        ahead_checkpoint
        roll 2
        leg "gradients:$((step - 1)):$rolled:nan"
        hit "rank $rolled in step $step" 1
        told "not finite"
        [[ ! -e $run/checkpoints/$(printf 'step-%08d' "$step")/manifest.json ]] ||
            fail "a checkpoint of step $step was made"
    done
    settle
}

not_a_number_at_the_end() {
    while next_fault; do
        life either --training.max_nonfinite 1
        roll 2
        leg "gradients:479:$rolled:nan"
        hit "rank $rolled" 1
        [[ ! -e $run/model.safetensors ]] || fail "a model was published"
        settle
    done
}

infinite_parameters() {
    life either
    leg step:478:*:usr1
    while next_fault; do
        leg '' --optimizer.learning_rate 1e300
        hit "in step 480" 1
        told "finite"
        [[ ! -e $run/model.safetensors ]] || fail "a model was published"
    done
    settle
}
