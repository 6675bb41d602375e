import ArgumentParser
import Batch
import Files

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how a run stands: queue, step, loss, speed, last checkpoint, time left.",
        discussion: """
            gecko status runs/run
            gecko status runs/run --job 42        # a run that gecko submit didn't start

            Whether a process trains is asked of the run's lock, not of a clock; how the last turn ended is in \
            end.json. \
            Exit code 0: it could answer, whatever the answer; 1: there is no run.
            """)

    @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"), transform: pathOption)
    var folder: String

    @Option(help: "The number of its Slurm job, where the folder doesn't say it.")
    var job: String?

    func run() throws {
        try Console.show(try RunStatus(folder, job: job).text, terminator: "")
    }
}
