import ArgumentParser
import Corpora
import Files
import Hardware
import Numerics
import Pipeline
import Simulation
import Training

struct Generate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Continue a text with a trained model.",
        discussion: """
            gecko generate runs/quickstart --prompt "In the beginning " --tokens 300
            gecko generate runs/unfinished --step 150     # a checkpoint; the newest one if left out
            """)

    @Argument(
        help: "A run's directory, one of its checkpoints, or a model.safetensors that gecko train wrote.",
        transform: pathOption)
    var model: String

    @Option(
        help:
            "The step of a checkpoint. Without it: the model of a run that is finished, or else the newest checkpoint.")
    var step: Int?

    @Option(help: "The text to continue.")
    var prompt = "In the beginning "

    @Option(help: "How many bytes to write.")
    var tokens = 200

    @Option(help: "0 always takes the likeliest byte; 1 draws from the model's distribution.")
    var temperature = 0.8

    @Option(help: "Seed of the draws: the same seed gives the same text.")
    var seed = 1

    @Option(help: "What multiplies matrices: auto, tiles or openblas; what the model was trained with if left out.")
    var matrices: MatrixChoice?

    func validate() throws {
        if prompt.isEmpty { throw ValidationError("--prompt is empty: give at least one character to continue.") }
        try OptionBounds.check("--step", step, atLeast: 0)
        try OptionBounds.check("--tokens", tokens, atLeast: 1, atMost: 100_000_000)
        guard 0...1000 ~= temperature else {
            throw ValidationError("--temperature: expected from 0 to 1000, found \(temperature.asWritten)")
        }
        try OptionBounds.check("--seed", seed, atLeast: 0, atMost: .max)
    }

    func run() async throws {
        let trained = try TrainedModel(model, step: step, tell: Console.complain)
        var configuration = trained.configuration
        configuration.useOneRank()
        if let matrices { configuration.machine.matrices = matrices }
        let resolved = try configuration.validated(world: nil).forThisCPU(say: Console.complain)
        try resolved.checkArithmetic()
        try SizeCheck.forGenerating(resolved)
        let group = try await RankGroup.inProcess(
            plan: try PipelinePlan(resolved), seed: 0, topology: try Topology(), threads: 0)
        do {
            try await group.setParameters(from: trained.parameters)
            let printer = Printer()
            try printer.put(prompt)
            _ = try await group.generate(
                prompt: ByteVocabulary.encode(prompt, packed: resolved.data.packed), count: tokens,
                temperature: temperature, seed: UInt64(seed), emit: { try printer.put($0) })
            try printer.finish()
        } catch {
            await group.stop()
            throw error
        }
        await group.stop()
    }
}
