# The virtual cluster itself.

test_nodes_are_hosts_of_their_own_namespaces() {
    equal "host names" "$(on_head srun -N 3 hostname | sort | tr '\n' ' ')" "n1 n2 n3 "
    equal "networks" "$(on_head srun -N 3 readlink /proc/self/ns/net | sort -u | wc -l)" 3
}

test_wrong_use_is_refused_with_a_reason() {
    local arguments
    while read -r arguments; do
        ! cluster/dev $arguments >refused 2>&1 || fail "accepted: cluster/dev $arguments"
        contains refused '^cluster/dev: '
    done <<TEXT
up
up $folder/x -n 0
up $folder/x -n 2 --rate fast
up $folder/x --delay 1gbit
up $folder
exec $folder/x ls
fail $cluster n9
boot $cluster n1
link $cluster n1 soon
walk
TEXT
    [[ ! -e $folder/x ]] || fail "a refused cluster left its folder"
}

test_a_second_cluster_comes_up_beside_the_first_and_leaves_nothing() {
    cluster/dev up "$folder/second" -n 2
    equal "nodes" "$(cluster/dev exec "$folder/second" srun -N 2 true && echo two)" two
    cluster/dev down "$folder/second"
    [[ ! -e $folder/second ]] || fail "its folder is still there"
    ! grep -lsz "$folder/second" /proc/[0-9]*/cmdline || fail "a process is still there"
    ! grep "$folder/second" /proc/mounts || fail "a mount is still there"
    equal "the first cluster's nodes" "$(on_head srun -N 3 true && echo three)" three
}

test_a_cluster_ends_with_the_script_that_was_killed() {
    sleep 60 &
    local owner=$!
    cluster/dev up "$folder/owned" -n 1 --until-exit $owner
    kill -9 $owner
    local i
    for ((i = 0; i < 50; i++)); do
        [[ -e $folder/owned ]] || return 0
        sleep 0.1
    done
    fail "the cluster outlived the process that it was tied to"
}
