import MPI

/// The sbatch script of a run: trains, saves before the time limit, goes back into the queue, goes on. The same as jobs/requeue.sbatch with its
/// choices made and its paths absolute.
package struct JobScript: Sendable {
    package var name: String
    package var nodes: Int
    package var ranksPerNode: Int
    package var time: String
    /// Seconds before the limit at which the ranks are told to save.
    package var warning: Int
    package var folder: RunFolder
    /// Where `gecko submit` was called: relative paths in the configuration hold there.
    package var workingDirectory: String
    /// The program.
    package var gecko: String
    /// What was planned, in a few words.
    package var plan: String
    /// Further options of sbatch.
    package var options: [String]

    package init(
        name: String, nodes: Int, ranksPerNode: Int, time: String, warning: Int, folder: RunFolder,
        workingDirectory: String, gecko: String, plan: String, options: [String]
    ) {
        self.name = name
        self.nodes = nodes
        self.ranksPerNode = ranksPerNode
        self.time = time
        self.warning = warning
        self.folder = folder
        self.workingDirectory = workingDirectory
        self.gecko = gecko
        self.plan = plan
        self.options = options
    }

    package var text: String {
        let further = options.map { "#SBATCH \($0)\n" }.joined()
        return """
            #!/usr/bin/env bash
            # Written by gecko submit: \(nodes) node(s) x \(ranksPerNode) rank(s), \(plan).
            # Saves and goes back into the queue before its time limit, and goes on from there. Again by hand: sbatch \(folder.script)
            #SBATCH --job-name=\(name)
            #SBATCH --nodes=\(nodes) --ntasks-per-node=\(ranksPerNode) --exclusive --mem=0
            #SBATCH --time=\(time) --signal=B:USR1@\(warning) --requeue --open-mode=append
            #SBATCH --chdir="\(workingDirectory)"
            #SBATCH --output="\(folder.jobLog)"
            \(further)set -euo pipefail

            # Slurm's other fences let MPI_Init crash now and then when a node has several ranks: they don't wait for all nodes.
            export SLURM_PMIX_FENCE=ring

            logs=\(quoted(folder.logs))
            mkdir -p "$logs"
            echo "job       $SLURM_JOB_NAME, number $SLURM_JOB_ID, restart ${SLURM_RESTART_COUNT:-0}, $(date '+%F %T')"
            echo "nodes     $SLURM_JOB_NUM_NODES ($SLURM_JOB_NODELIST), \(ranksPerNode) rank(s) each, $(squeue -h -j "$SLURM_JOB_ID" -o %L) left"
            echo "log       $logs/rank-0.log"

            # One rank a task, neighbouring stages on neighbouring ranks (block); gecko pins its threads itself. A minute after the first rank has
            # left, the others are ended: they would wait for a dead one for ever.
            srun --mpi=${GECKO_SRUN_MPI:-\(MPILibrary.current.slurmPlugin)} --kill-on-bad-exit=0 --wait=60 --distribution=block --cpu-bind=none \\
                --open-mode=append --output="$logs/rank-%t.log" \\
                \(quoted(gecko)) train \(quoted(folder.configuration)) --resume &
            step=$!
            trap 'echo "warned    $(date "+%F %T"): the ranks save"; kill -USR1 $step' USR1   # srun passes it on to every rank
            trap 'echo "stopped   $(date "+%F %T"): the ranks save"' TERM                       # Slurm tells the ranks itself
            while kill -0 $step 2>/dev/null; do wait $step || true; done   # a signal ends a wait
            wait $step && status=0 || status=$?
            # Not when somebody cancelled it, or Slurm requeued it before.
            if ((status == 75)) && scontrol show job "$SLURM_JOB_ID" | grep -q JobState=RUNNING; then
                echo "saved     $(date '+%F %T'): back into the queue"
                scontrol requeue "$SLURM_JOB_ID"
            fi
            # srun has 0 also for a step that could not be launched.
            last=$(tail -n 1 "$logs/rank-0.log" 2>/dev/null || true)
            if ((status == 0)) && [[ $last != "parameters sha256 "* ]]; then status=1; fi
            echo "ended     status $status, $(date '+%F %T'): $last"
            exit $status

            """
    }
}

/// A word of a shell's command line.
func quoted(_ text: String) -> String {
    let plain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+=:,@%".contains($0)) }
    return plain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
}
