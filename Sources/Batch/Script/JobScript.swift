import Files
import MPI

/// The sbatch script of a run: trains, saves before the time limit, goes back into the queue, goes on. The same as
/// jobs/requeue.sbatch with its choices made, its paths absolute, and the functions that it shares with the scripts
/// of jobs/ within.
package struct JobScript: Sendable {
    package var name: String
    package var slurm: SlurmRequest
    package var folder: RunFolder
    /// Where `gecko submit` was called: relative paths in the configuration hold there.
    package var workingDirectory: String
    /// The program.
    package var gecko: String
    package var ranksPerNode = 1
    /// What was planned, in a few words.
    package var plan = ""

    package init(name: String, slurm: SlurmRequest, folder: RunFolder, workingDirectory: String, gecko: String) {
        self.name = name
        self.slurm = slurm
        self.folder = folder
        self.workingDirectory = workingDirectory
        self.gecko = gecko
    }

    /// - Throws: `BatchError` that names what a script can't carry
    package func check() throws {
        try Quoting.checkOutput(folder.path, of: "run.directory")
        guard !name.isEmpty else { throw BatchError("--name: expected a name, found nothing") }
        try Quoting.check(name, of: "the job's name")
        try Quoting.check(workingDirectory, of: "the current folder's name")
        try Quoting.check(gecko, of: "the path of gecko")
        try Quoting.check(plan, of: "the plan")
        for option in slurm.options { try Self.check(option) }
    }

    /// An option is `--name`, `--name=value` or `-xVALUE`: a value may have blanks, so two options in one can't be
    /// told from it.
    private static func check(_ option: String) throws {
        try Quoting.check(option, of: "--sbatch")
        guard option.wholeMatch(of: /--?[A-Za-z].*/) != nil else {
            throw BatchError(
                "--sbatch: expected an option of sbatch such as --sbatch=--account=physics, found '\(option)'")
        }
        if option.contains(/^[^=\s]*\s/) || option.contains(/\s--[a-z][a-z-]*=/) {
            throw BatchError(
                "--sbatch: expected one option with '=' before its value, such as --sbatch=--account=physics, "
                    + "found '\(option)'; give --sbatch once for each")
        }
    }

    /// Shared with the scripts of jobs/, which source these files.
    private static let functions = [PackageResources.tell_sh, PackageResources.turn_sh]
        .map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")

    package var text: String {
        let directives =
            [
                ["--job-name=\(name)"],
                ["--nodes=\(slurm.nodes)", "--ntasks-per-node=\(ranksPerNode)", "--exclusive", "--mem=0"],
                ["--time=\(slurm.time)", "--signal=B:USR1@\(slurm.warning)", "--requeue", "--open-mode=append"],
                ["--chdir=\(workingDirectory)"],
                ["--output=\(Quoting.literalPattern(folder.jobLog))"],
            ] + slurm.options.map { [$0] }
        return """
            #!/usr/bin/env bash
            # Written by gecko submit: \(slurm.nodes) node(s) x \(ranksPerNode) rank(s), \(plan).
            # Saves and goes back into the queue before its time limit, and goes on from there. Again by hand:
            #
            #     sbatch \(Quoting.word(folder.script))
            #
            \(directives.map { "#SBATCH " + $0.map(Quoting.directive).joined(separator: " ") }.joined(separator: "\n"))
            set -euo pipefail

            srun_mpi=${GECKO_SRUN_MPI:-\(MPILibrary.current.slurmPlugin)}
            \(Self.functions)
            # This run.
            if [[ ${1:-} == --help ]]; then
                sed -n '2,/^#SBATCH/{/^#SBATCH/!s/^# \\{0,1\\}//p}' "$0"
                exit
            fi
            if [[ -z ${SLURM_JOB_ID:-} ]]; then
                tell "this is no Slurm job: submit me with sbatch (--help says how)" >&2
                exit 64
            fi
            gecko=\(Quoting.word(gecko))
            logs=\(Quoting.word(folder.logs))

            listen
            choose_logs "$logs"
            tell_beginning
            tell_log "$logs"
            start train \(Quoting.word(PathText.written(folder.configuration))) --resume
            await && status=0 || status=$?
            tell_end "$status"
            ! goes_on || requeue
            exit "$status"

            """
    }
}
