import ArgumentParser
import Checkpoints
import Corpora
import Foundation
import Hardware
import Pipeline
import Simulation
import Training

struct Generate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Continue a text with a trained model.",
        discussion: "gecko generate runs/quickstart --prompt \"In the beginning \" --tokens 300")

    @Argument(help: "A run's directory, or a model.safetensors that gecko train wrote.")
    var model: String

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
        try OptionBounds.check("--tokens", tokens, atLeast: 1)
        guard temperature >= 0, temperature.isFinite else {
            throw ValidationError("--temperature: expected at least 0, found \(temperature.asWritten)")
        }
        try OptionBounds.check("--seed", seed, atLeast: 0, atMost: .max)
    }

    func run() async throws {
        var isDirectory: ObjCBool = false
        let isFolder = FileManager.default.fileExists(atPath: model, isDirectory: &isDirectory) && isDirectory.boolValue
        let file = try SafetensorsFile(isFolder ? model + "/model.safetensors" : model)
        var configuration = try ModelFile.configuration(of: file)
        configuration.useOneRank()
        let resolved = try configuration.validated(world: nil)
        let group = try await RankGroup.inProcess(
            plan: try PipelinePlan(resolved), seed: 0, topology: try Topology(), threads: 0)
        do {
            try await group.setParameters(from: ModelFile.Source(file))
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
