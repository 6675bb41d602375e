import ArgumentParser
import Training

struct Profile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Measure what this model's actions and messages cost on these ranks.",
        discussion: """
            gecko profile run.toml --pipeline.stages 2
            mpirun -np 4 gecko profile run.toml --pipeline.schedule zb-h1 --output zb-h1.json
            mpirun -np 2 gecko profile run.toml --cluster machine.toml

            Writes the costs beside the configuration (run.costs.json for run.toml), where gecko simulate run.toml \
            finds them, or to --output.

            Runs a few training steps of the configuration and of variants of its schedule, alone or under a launcher \
            as gecko train does, and writes the times of forward, backward, both of its halves, recompute, messages \
            and the end of a step, with bytes, for gecko simulate --costs. It leaves no run directory and no model. \
            Every key can be overridden as --section.key value.
            """)

    @Option(help: "Steps that are measured, of each variant, after one of warm-up.")
    var steps = 5

    @Option(
        help: "File for the costs; beside the configuration under its name if not given: run.costs.json for run.toml.",
        transform: pathOption)
    var output: String?

    @Option(
        help: """
            Also measure steps with slices of every length, from chunk to sequence, and write a description of this \
            machine to this file, \
            for gecko plan.
            """, transform: pathOption)
    var cluster: String?

    @OptionGroup var files: OutputOptions
    @OptionGroup var arguments: RunArguments

    func validate() throws {
        try OptionBounds.check("--steps", steps, atLeast: 1)
    }

    func run() async throws {
        do {
            try await Launch.profile(
                steps: steps, output: output ?? RunConfiguration.profiledCosts(of: arguments.file), cluster: cluster,
                overwrite: files.overwrite,
                patience: arguments.patience,
                load: arguments.loader)
        } catch let exit as SilentExit {
            throw ExitCode(exit.status)
        }
    }
}
