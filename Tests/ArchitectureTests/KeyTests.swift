import Model
import Pipeline
import Simulation
import Testing
import Training

/// The keys of `[model]` are the architecture's.
@Suite struct LeakyKeyTests {
    private static let architectures = LeakyRunTests.architectures

    private func load(_ overrides: String...) throws -> RunConfiguration {
        try RunConfiguration.load(
            file: nil, overrides: ["--data.path=c.txt"] + overrides, architectures: Self.architectures)
    }

    private func problem(_ overrides: String...) -> String {
        do {
            _ = try RunConfiguration.load(
                file: nil, overrides: ["--data.path=c.txt"] + overrides, architectures: Self.architectures
            ).validated(world: nil)
            return ""
        } catch { return "\(error)" }
    }

    @Test func theFirstArchitectureIsThatOfAFileWithoutOne() throws {
        let old = try RunConfiguration.parse(
            toml: "[model]\nlayers = 3\n", file: "a.toml", architectures: Self.architectures)
        #expect(old.model is GeckoConfiguration && old.model.layers == 3)
        // Its name comes first, wherever it stands.
        let named = try RunConfiguration.parse(
            toml: "[model]\nwidth = 9\nleak = 0.5\narchitecture = \"leaky\"\n", file: "a.toml",
            architectures: Self.architectures)
        #expect((named.model as? LeakyModel)?.dim == 9 && (named.model as? LeakyModel)?.leak == 0.5)
    }

    @Test func valuesSurviveTheRoundTrip() throws {
        let given = try load("--model.width=7", "--model.architecture", "leaky", "--model.tie", "--model.leak=0.25")
        let back = try RunConfiguration.parse(
            toml: given.toml(), file: "config.toml", architectures: Self.architectures)
        let plain = try load()
        #expect(back == given && back.toml() == given.toml() && back != plain)
        #expect(given.toml().contains("[model]\narchitecture = \"leaky\"\nlayers = 4\nwidth = 7\n"))
        let resolved = try given.validated(world: nil)
        #expect(resolved.model.vocabulary == 256 && resolved.model.dim == 7)
    }

    @Test func whatIsWrongIsSaidInTheArchitecturesKeys() {
        #expect(problem("--model.architecture=leaky", "--model.chunk=8").contains("unknown key model.chunk"))
        #expect(problem("--model.width=8").contains("unknown key model.width"))
        let unknown = problem("--model.architecture=leeky")
        #expect(unknown.contains("expected one of \"gecko\", \"leaky\"") && unknown.contains("leeky"), "\(unknown)")
        #expect(
            problem("--model.architecture=leaky", "--model.width=13")
                == "model.width = 13 (on the command line) brings bad luck: set model.width to 12")
        #expect(
            problem("--model.architecture=leaky", "--model.vocabulary=99").contains("model.vocabulary = 99")
                && problem("--model.architecture=leaky", "--pipeline.stages=5").contains("model.layers = 4"))
        #expect(problem("--model.architecture=leaky", "--data.sequence=21", "--pipeline.slice=7") == "")
    }

    @Test func helpShowsTheKeysOfTheChosenOne() {
        let leaky = RunConfiguration.helpText(
            for: ["--model.architecture", "leaky", "--help"], architectures: Self.architectures)
        #expect(leaky.contains("--model.leak <number>") && !leaky.contains("--model.chunk"))
        #expect(leaky.contains("default \"leaky\")") && leaky.contains("\"gecko\" or \"leaky\""))
        let first = RunConfiguration.helpText(for: ["--help"], architectures: Self.architectures)
        #expect(first.contains("--model.chunk <integer>") && !first.contains("--model.leak"))
    }

    @Test func thePlannerHasTheParametersOfTheRun() throws {
        for overrides in [["--model.layers=6"], ["--model.layers=6", "--model.tie"]] {
            let configuration = try RunConfiguration.load(
                file: nil,
                overrides: ["--data.path=c.txt", "--model.architecture=leaky", "--data.sequence=64"] + overrides,
                architectures: Self.architectures)
            let planned = PlannedModel(configuration)
            let run = try PipelinePlan(configuration.validated(world: nil))
            #expect(Int(planned.parameters) == run.parameterCount)
            #expect(3 * planned.trainingFlopsPerToken / 3 == run.trainingFlopsPerToken)
            #expect(planned.sliceLengths == [1, 2, 4, 8, 16, 32, 64])
            #expect(try configuration.forPlanning().model.vocabulary == 256)
        }
    }
}
