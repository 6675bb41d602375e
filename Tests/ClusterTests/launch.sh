# Ways to start a training: all give the parameters of one process.

test_three_nodes_train_to_the_digest_of_one_process() {
    local job
    job=$(submit --nodes 3 jobs/many-nodes.sbatch run.toml)
    await_end "$job" 30
    contains "gecko-$job.log" '^nodes +3 \(n\[1-3\]\), 1 rank\(s\) each'
    contains "gecko-$job.log" '^ended +status 0'
    contains "runs/logs/$job/rank-0.log" '^ranks: 3 under MPI on'
    equal "ranks that have a log" "$(ls "runs/logs/$job" | wc -l)" 3
    equal "sha256" "$(digest "runs/logs/$job/rank-0.log")" "$(expected)"
}

test_two_ranks_a_node_are_two_replicas_whose_stages_share_a_node() {
    local layout=(--pipeline.stages 2 --pipeline.replicas 2)
    on_head srun -N 2 --ntasks-per-node 2 --distribution=block --mpi="$(mpi_slurm "$gecko")" "$gecko" topology --stages 2 --threads 1 >topology
    [[ $(<"$cluster/backend") == plain ]] || contains topology '3 +n2 +1 +stage 1 of replica 1'
    local job
    job=$(submit --nodes 2 --ntasks-per-node 2 jobs/many-nodes.sbatch run.toml "${layout[@]}" --run.directory replicas)
    await_end "$job" 30
    equal "sha256" "$(digest "runs/logs/$job/rank-0.log")" "$(expected "${layout[@]}")"
}

test_an_array_trains_a_line_of_settings_each() {
    printf -- '# two runs\r\n--optimizer.learning_rate 3e-3\r\n\r\n--model.layers "3" # and no $(touch harm)\r\n' >settings.txt
    local job
    job=$(submit --array 0-1 jobs/sweep.sbatch run.toml settings.txt)
    await_end "$job" 30
    equal "sha256 of line 1" "$(digest "runs/logs/$job-0/rank-0.log")" "$(expected --optimizer.learning_rate 3e-3)"
    equal "sha256 of line 2" "$(digest "runs/logs/$job-1/rank-0.log")" "$(expected --model.layers 3)"
    [[ ! -e harm ]] || fail "a line of settings was carried out"
}

test_mpirun_in_an_allocation_trains_alike() {
    mpi_launcher "$gecko"
    on_head salloc -Q -N 3 --ntasks-per-node 1 "${launcher[@]}" "$gecko" train run.toml --run.directory allocation >allocation.log
    equal "sha256" "$(digest allocation.log)" "$(expected)"
}

test_an_interactive_allocation_runs_a_command() {
    on_head bash jobs/interactive.sh -Q --nodes 2 -- train run.toml --run.directory interactive >interactive.log
    equal "sha256" "$(digest interactive.log)" "$(expected)"
}

test_mpirun_with_a_hostfile_trains_alike_namespaces() {
    printf 'n1 slots=1\n# not this one\nn2 slots=2\n' >hosts
    # what ssh is on a cluster
    on_head env OMPI_MCA_plm_rsh_agent="$cluster/rsh" HYDRA_LAUNCHER=rsh HYDRA_LAUNCHER_EXEC="$cluster/rsh" bash jobs/hostfile.sh hosts run.toml --run.directory hostfile >hostfile.log
    contains hostfile.log '^ranks: 3 under MPI on 2 node'
    equal "sha256" "$(digest hostfile.log)" "$(expected)"
}
