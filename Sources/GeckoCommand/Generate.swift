import ArgumentParser
import Corpora
import Files
import Hardware
import Pipeline
import Training

struct Generate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Continue a text with a trained model.",
        discussion: """
            gecko generate runs/quickstart --prompt "In the beginning " --tokens 300
            gecko generate runs/unfinished --step 150     # a checkpoint; the newest one if left out
            """)

    @Argument(help: "A run's directory, one of its checkpoints, or a model.safetensors that gecko train wrote.")
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

    func validate() throws {
        if prompt.isEmpty { throw ValidationError("--prompt is empty: give at least one character to continue.") }
        if let step, step < 0 { throw ValidationError("--step \(step): it is not negative.") }
        if tokens < 1 { throw ValidationError("--tokens \(tokens): ask for at least one.") }
        if !(temperature >= 0) { throw ValidationError("--temperature \(temperature): it is not negative.") }
        if seed < 0 { throw ValidationError("--seed \(seed): it is not negative.") }
    }

    func run() async throws {
        let trained = try TrainedModel(model, step: step, tell: Console.complain)
        var configuration = trained.configuration
        configuration.useOneRank()
        let resolved = try configuration.validated(world: nil)
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
