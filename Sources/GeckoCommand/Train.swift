import ArgumentParser
import Training

struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a model on text: alone, under mpirun, or under srun.",
        discussion: """
            gecko train run.toml --model.layers 8 --data.path corpus.txt
            mpirun -np 4 gecko train run.toml --pipeline.replicas 2
            srun --mpi=pmix gecko train run.toml

            The same command started again goes on from the newest whole checkpoint of its run, unless the \
            configuration sets run.overwrite, \
            which begins anew; --resume goes on in any case.

            Alone, all ranks run as actors in this process. Under a launcher each process is one rank of the pipeline \
            of one replica: ranks = stages x replicas, and a rank holds a stage, or several if its schedule has more. \
            Every key of the configuration file can be overridden as --section.key value (or --section.key=value). \
            The last line printed is the digest of all parameters, which is the same for every layout.

            \(keys)
            """)

    @Flag(help: "Go on with the run that run.directory holds, whatever run.overwrite says.")
    var resume = false

    @OptionGroup var arguments: RunArguments

    func run() async throws {
        do {
            try await Launch.train(
                configurationFile: arguments.file, resume: resume, patience: arguments.patience, load: arguments.loader)
        } catch let exit as SilentExit {
            throw ExitCode(exit.status)
        }
    }

    /// Every start makes a command's description.
    private static var keys: String {
        let words = Array(CommandLine.arguments.dropFirst(2))
        return Words.askForHelp ? RunConfiguration.helpText(for: words, width: 78) : ""
    }
}
