# gecko submit, gecko status, gecko doctor, gecko topology on the cluster.

test_submit_plans_writes_and_queues_a_run_that_status_follows() {
    local request=(run.toml --nodes 3 --time 10:00 --network 50us,1gbit --run.directory submitted --pipeline.replicas 1 --pipeline.slice 16)
    on_head "$gecko" submit "${request[@]}" --dry-run >dry
    contains dry '^#SBATCH --nodes=3 --ntasks-per-node='
    contains dry 'Nothing was written'
    [[ ! -e submitted ]] || fail "--dry-run left something behind"
    on_head "$gecko" submit "${request[@]}" >submission
    local job
    job=$(sed -nE 's/^submitted +job ([0-9]+)$/\1/p' submission)
    on_head "$gecko" status submitted >before
    contains before "^job +$job (PENDING|RUNNING|COMPLET)"
    await_end "$job" 60
    on_head "$gecko" status submitted >after
    contains after '^state +finished'
    contains after '^step +4 of 4 \(100 %\)'
    contains after '^checkpoint +step 4, '
    contains submitted/job.log '^ended +status 0'
    equal "sha256" "$(digest submitted/logs/rank-0.log)" "$(expected)"
}

test_names_of_any_kind_reach_slurm_as_they_are() {
    local run='odd '"'"'q" #%j_%x $HOME `id` é' job
    on_head "$gecko" submit run.toml --nodes 2 --time 10:00 --network 50us,1gbit --run.directory "${run//\$/\$\$}" \
        --sbatch='--comment=two words' >submission
    job=$(sed -nE 's/^submitted +job ([0-9]+)$/\1/p' submission)
    await_end "$job" 60
    on_head "$gecko" status "${run//\$/\$\$}" >after
    contains after '^state +finished'
    contains "$run/job.log" '^ended +status 0'
    [[ -s $run/logs/rank-0.log ]] || fail "no log of rank 0"
    on_head scontrol show job "$job" >shown
    equal "name" "$(sed -n 's/.* JobName=//p' shown)" "$run"
    equal "comment" "$(sed -nE 's/^ *Comment=(.*[^ ]) *$/\1/p' shown)" "two words"
}

test_a_run_that_is_submitted_again_keeps_its_layout() {
    local request=(run.toml --nodes 2 --time 10:00 --network 50us,1gbit --run.directory again)
    on_head "$gecko" submit "${request[@]}" >submission
    await_end "$(sed -nE 's/^submitted +job ([0-9]+)$/\1/p' submission)" 60
    sed -E '/^steps/d' again/job.toml >before
    on_head "$gecko" submit "${request[@]}" --training.steps 8 >submission
    contains submission '^kept +the layout of .*/again/job.toml'
    await_end "$(sed -nE 's/^submitted +job ([0-9]+)$/\1/p' submission)" 60
    equal "configuration but for its steps" "$(sed -E '/^steps/d' again/job.toml)" "$(<before)"
    on_head "$gecko" status again >after
    contains after '^step +8 of 8'
}

test_submit_refuses_what_cannot_run() {
    local arguments
    while read -r arguments; do
        ! on_head "$gecko" submit run.toml $arguments --run.directory refused-run >refused 2>&1 || fail "accepted: $arguments"
        contains refused '^Error: '
    done <<'TEXT'
--nodes 4 --time 10:00
--nodes 3 --time soon
--nodes 3 --time 4:00
--nodes 3 --time 10:00 --pipeline.stages 4
--nodes 3 --time 10:00 --partition nowhere
--nodes 3 --time 10:00 --model.layrs 4
--nodes 3 --time 100-00:00:00 --warning 70000
--nodes 3 --time 10:00 --sbatch=--gres=none-such:1
--nodes 3 --time 10:00 --sbatch=physics
TEXT
    [[ ! -e refused-run ]] || fail "a refused run left its folder"
    ! "$gecko" status nowhere 2>refused || fail "status of nothing"
    contains refused "there is no run's folder nowhere"
}

test_ranks_are_numbered_node_by_node_however_they_were_dealt_out_namespaces() {
    on_head srun -N 2 --ntasks-per-node 2 --distribution=cyclic --mpi="$(mpi_slurm "$gecko")" "$gecko" topology --stages 2 --threads 1 >topology
    contains topology '0 +n1 +0 +stage 0 of replica 0'
    contains topology '1 +n1 +1 +stage 1 of replica 0'
    contains topology '2 +n2 +0 +stage 0 of replica 1'
    contains topology '3 +n2 +1 +stage 1 of replica 1'
}

doctor() { on_head srun -N 3 --mpi="$(mpi_slurm "$gecko")" "$gecko" doctor --in-turn "$@"; }

test_the_doctor_checks_arithmetic_folder_and_bits_of_every_node() {
    # How fast they are depends on what else runs on this machine: not the question here.
    doctor --golden "$golden" --tolerance 0.95 >report || true
    contains report '^golden data: 3 of 3 ranks get all of [0-9]+ cases right'
    contains report '^bits: 3 of 3 ranks'
    contains report '^shared folder: 3 of 3'
}

test_the_doctor_names_a_node_whose_cable_is_slow_namespaces() {
    cluster/dev link "$cluster" n2 100mbit
    ! doctor --golden none --tolerance 0.95 >report || fail "it found nothing: $(<report)"
    cluster/dev link "$cluster" n2 none
    contains report '^n2: all its links are slow.*Mbit/s where'
    contains report '--exclude=n2'
}

# A program that takes nine tenths of a node's core, before everything else (real time): so it shows also while other programs use this
# machine, which would make room elsewhere.
busy_loop() {
    chrt -r 1 bash -c 'while :; do
        begin=${EPOCHREALTIME//[.,]/}
        while ((${EPOCHREALTIME//[.,]/} - begin < 90000)); do :; done
        sleep 0.01
    done'
}

test_the_doctor_names_a_node_with_a_busy_loop_beside_it_namespaces() {
    (($(nproc) > 1)) || skip "needs two cores"
    chrt -r 1 true 2>/dev/null || skip "may not start programs of real-time priority"
    cluster/dev up "$folder/cores" -n 2 --own-cores --until-exit $$
    export -f busy_loop
    cluster/dev on "$folder/cores" n2 bash -c busy_loop &
    disown
    local found=
    cluster/dev exec "$folder/cores" srun -N 2 --mpi="$(mpi_slurm "$gecko")" "$gecko" doctor --in-turn --golden none >report || found=yes
    cluster/dev down "$folder/cores"
    [[ -n $found ]] || fail "it found nothing: $(<report)"
    contains report '^n2: .* core\(s\) of rank 1 are slow.*other programs had it for [2-9][0-9] %'
}
