# Storage that fails: training goes on, the last good checkpoint stays, and the next one that can be written is.

kind write-fails 14 "a file operation finds the disk full (injected): told, training goes on" write_fails
kind file-size-limit 5 "\`ulimit -f\`: the system's signal is an error like any other" file_size_limit
disk_kind full-disk 8 "a small disk is full for a while: told, training goes on" full_disk
disk_kind read-only-disk 8 "a small disk is mounted read-only for a while: told, training goes on" read_only_disk
disk_kind full-disk-at-the-end 5 \
    "no room for the last checkpoint or the model: 1, or 0 with the model whole; with room the same command ends the run" \
    full_at_the_end
disk_kind full-disk-for-the-folder 5 "the run's folder is full, its checkpoints lie elsewhere: told, training goes on" \
    full_folder

can_mount() {
    mkdir -p "$work/disk" && mount -t tmpfs -o size=64k tmpfs "$work/disk" 2>/dev/null && umount "$work/disk"
}

# An empty disk of its own at $work/disk.
small_disk() { # SIZE
    no_disk
    mount -t tmpfs -o "size=$1" tmpfs "$work/disk"
    mounted=$work/disk
}

no_disk() {
    [[ -z $mounted ]] || umount "$mounted"
    mounted=''
}

# Takes what is free but for so many blocks of 4 KiB.
fill_disk() { # BLOCKS
    dd if=/dev/zero of="$work/disk/ballast" bs=4k status=none 2>/dev/null || true
    truncate -s "-$(($1 * 4096 < $(stat -c %s "$work/disk/ballast") ? $1 * 4096 : 0))" "$work/disk/ballast"
}

write_fails() {
    local rank point
    life either
    while next_fault; do
        ahead_checkpoint
        pick part-begin part-half manifest-begin manifest-half && point=$picked
        roll 2 && rank=$rolled
        [[ $point == part-* ]] || rank=0
        # Dies when the next checkpoint has been taken, which waits for this one's end.
        leg "$point:$step:$rank:fail,step:$((step + 50))"
        hit "$point of step $step, rank $rank" 137
        told "No space left on device"
        told "Training goes on"
        step=$((step + 50))
    done
    settle
}

# Dies later, or comes to its end, where it cannot write the model.
file_size_limit() {
    # UCX, below MPICH, has files for its shared memory and does not even begin.
    local second='' mode=either
    [[ $first_mpi == openmpi ]] || mode=alone
    life "$mode"
    leg step:70 && step=70
    while next_fault; do
        ahead && step=$((step + 25))
        roll 2
        within "ulimit -f 24"
        if ((rolled == 0)); then
            leg "step:$step"
            hit "24 KiB a file, died before step $((step + 1))" 137
        else
            leg ''
            hit "24 KiB a file, to the end" 1
        fi
        told "Training goes on"
        told "File too large"
        around=()
    done
    settle
}

full_disk() {
    begin_on_a_disk
    while next_fault; do
        ahead
        step=$((step + 20))
        roll 20
        # The run meets the end of the disk at its next checkpoint.
        fill_disk "$rolled"
        leg "step:$step"
        rm "$work/disk/ballast"
        # What a start takes away of the turn before may leave room enough.
        said "No space left on device" || { settle && begin_on_a_disk && continue; }
        hit "died before step $((step + 1))" 137
    done
    settle
    no_disk
}

begin_on_a_disk() {
    small_disk 2m
    life either --checkpoint.directory "$work/disk/checkpoints"
    leg step:70 && step=70
}

read_only_disk() {
    begin_on_a_disk
    while next_fault; do
        ahead
        step=$((step + 20))
        mount -o remount,ro "$work/disk"
        leg "step:$step"
        hit "died before step $((step + 1))" 137
        told "Read-only file system"
        mount -o remount,rw "$work/disk"
    done
    settle
    no_disk
}

full_at_the_end() {
    while next_fault; do
        small_disk 2m
        life either --checkpoint.directory "$work/disk/checkpoints"
        run=$work/disk/run-$lives
        roll 300
        step=$((100 + rolled))
        leg "step:$step"
        # Less than a checkpoint needs, of which one is there.
        roll 8
        fill_disk "$rolled"
        leg ''
        # The model may find room where the checkpoint found none.
        hit "from step $step on, $rolled blocks are free" 1 0
        told "No space left on device"
        rm "$work/disk/ballast"
        settle
        no_disk
    done
}

full_folder() {
    small_disk 512k
    life either --checkpoint.directory @.checkpoints --training.log_every 10
    run=$work/disk/run-$lives
    leg step:60 && step=60
    while next_fault; do
        ahead
        roll 2
        fill_disk "$rolled"
        # Until its lines have no room.
        step=$((step + 25))
        leg "step:$step"
        hit "$rolled blocks are free, died before step $((step + 1))" 137
        told "No space left on device"
        rm "$work/disk/ballast"
    done
    settle
    no_disk
}
