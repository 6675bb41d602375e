# Checkpoints on the nodes' own disks, each with a copy on another node. A folder a rank stands for its node.

kind node-lost 6 "all that a node had: it comes back from the node with the copy" partners lose_node
kind local-file-damaged 4 "a rank's file on its own node: the copy on the other node is taken" partners damage_file
kind copy-damaged 4 "a copy on the other node: the file itself is taken" partners damage_copy
kind copy-half-written 4 "a node is lost, and half of the newest copy is on the other one: an older step is taken" \
    partners halve_copy
kind local-manifest-lost 4 "a node's newest manifest: the other node's is taken" partners lose_manifest
kind both-nodes-lost 4 "all node-local checkpoints: those in shared storage are taken" partners lose_both
kind local-newer 4 "node-local checkpoints are newer than shared ones: they are taken" partners nothing_lost
kind partner-dies 8 "a rank dies while files or copies are written or committed" partner_dies

node_life() {
    life either --checkpoint.every 60 --checkpoint.local_every 20 --checkpoint.local_directory "@.nodes/node{rank}"
}

partners() { # ACTION
    local lost_files
    node_life
    leg step:115 && step=115
    while next_fault; do
        roll 2 && lost_files=$rolled
        "$1" "$lost_files"
        # Of 60, 80 and 100, only what was due before the last one is whole for certain: that should be a node-local
        # one.
        roll 18 && step=$((step / 60 * 60 + 102 + rolled))
        leg "step:$step"
        hit "node $lost_files, died before step $((step + 1))" 137
        told "$wanted"
    done
    settle
}

# The newest step of which some node has a manifest.
newest_local() {
    local manifest
    manifest=$(cd "$run.nodes" && ls -d node*/step-*/manifest.json | sort -t / -k 2 | tail -n 1)
    basename "$(dirname "$manifest")"
}

lose_node() {
    rm -rf "$run.nodes/node$1"
    wanted="rank-000$1.safetensors of step .* comes back from rank $((1 - $1))'s node"
}

damage_file() {
    flip "$run.nodes/node$1/$(newest_local)/rank-000$1.safetensors"
    wanted="node$1/.*/rank-000$1.safetensors: its sha256"
}

damage_copy() {
    flip "$run.nodes/node$1/$(newest_local)/copy-of-rank-000$((1 - $1)).safetensors"
    wanted="resuming after step $(newest_local | sed 's/step-0*//') from the nodes"
}

halve_copy() {
    local copy
    rm -rf "$run.nodes/node$1"
    copy=$run.nodes/node$((1 - $1))/$(newest_local)/copy-of-rank-000$1.safetensors
    truncate -s "$(($(stat -c %s "$copy") / 2))" "$copy"
    wanted="rank-000$1.safetensors is whole on no node"
}

lose_manifest() {
    rm -f "$run.nodes/node$1/$(newest_local)/manifest.json"
    wanted="resuming after step $(newest_local | sed 's/step-0*//') from the nodes"
}

lose_both() {
    rm -rf "$run.nodes"
    wanted="resuming after step .* from $run/checkpoints"
}

nothing_lost() { wanted="resuming after step $(newest_local | sed 's/step-0*//') from the nodes"; }

partner_dies() {
    local point rank
    node_life
    while next_fault; do
        ahead_checkpoint
        # At multiples of 60 shared checkpoints are due, which are no copies.
        ((step % 60)) || step=$((step + 20))
        pick part-half part-written part-durable manifest-begin manifest-half manifest-flushed manifest-durable \
            cleanup-begin cleanup-half
        point=$picked
        roll 2 && rank=$rolled
        # These are numbered 0 on every node.
        case $point in manifest-* | cleanup-*) rank='*' ;; esac
        leg "$point:$step:$rank"
        hit "$point of step $step, rank $rank" 137
    done
    settle
}
