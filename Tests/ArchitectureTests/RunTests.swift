import Checkpoints
import Foundation
import Model
import Schedules
import Simulation
import Testing
import Training

/// Whole runs of the test architecture, as `gecko train` makes them, with all ranks in this process.
@Suite(.serialized) struct LeakyRunTests {
    static let architectures = Architectures([GeckoConfiguration.self, LeakyModel.self])

    /// A folder with a text and a configuration, removed when the value goes away.
    final class Folder {
        let path: String

        init(model: String = "architecture = \"leaky\"\nwidth = 10") throws {
            path = FileManager.default.temporaryDirectory.appendingPathComponent("leaky-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let text = (0..<3000).map { (i: Int) -> UInt8 in 97 + UInt8((i * i / 7 + i / 3) % 20) }
            try Data(text).write(to: URL(fileURLWithPath: path + "/text.txt"))
            try """
            [model]
            \(model)
            [data]
            path = "\(path)/text.txt"
            sequence = 24
            packed = true
            streams = true
            [training]
            steps = 6
            batch = 2
            sample_tokens = 5
            evaluate_sequences = 2
            [optimizer]
            schedule = "constant"
            [pipeline]
            stages = 2
            slice = 6
            [machine]
            threads = 1
            [checkpoint]
            every = 2
            [run]
            directory = "\(path)/run"
            """.write(toFile: path + "/run.toml", atomically: true, encoding: .utf8)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func train(_ overrides: String..., counter: LeakyModel.Counter? = nil) async throws {
            let file = path + "/run.toml"
            try await Launch.train(configurationFile: file, resume: false, patience: nil) { world in
                var configuration = try RunConfiguration.load(
                    file: file, overrides: overrides, architectures: architectures)
                if var model = configuration.model as? LeakyModel {
                    model.counter = counter
                    configuration.model = model
                }
                return try configuration.validated(world: world)
            }
        }

        func model(_ run: String) throws -> [String: [Float]] {
            let file = try SafetensorsFile("\(path)/\(run)/model.safetensors")
            return try Dictionary(uniqueKeysWithValues: file.names.map { ($0, try file.floats($0)) })
        }

        func text(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }
    }

    @Test func aRunThatWasCutGoesOnInAnyLayoutToTheSameBits() async throws {
        let folder = try Folder()
        try await folder.train("--run.directory=\(folder.path)/whole")
        // In the first layout to a checkpoint, and on from it in others.
        try await folder.train("--training.steps=3")
        try await folder.train("--training.steps=5", "--pipeline.stages=4", "--pipeline.recompute")
        try await folder.train("--pipeline.stages=3", "--pipeline.schedule=zb-h1", "--pipeline.slice=12")
        let (whole, cut) = (try folder.model("whole"), try folder.model("run"))
        // Two averages of two tensors each, two maps, the ends.
        #expect(whole.count == 8)
        #expect(whole == cut)
        // Where the streams stand is in the checkpoint as the architecture keeps it.
        let streams = try SafetensorsFile("\(folder.path)/whole/checkpoints/step-00000006/streams-0000.safetensors")
        let cursor = try streams.int64s("streams.0.cursor")
        #expect(cursor.count == 2 && cursor[0] == 6 * 24 && cursor[1] > 0 && cursor[1] <= 6 * 24 + 1)
        #expect(streams.names.contains("streams.1.layers.0.average"))
        #expect(!streams.names.contains { $0.hasSuffix("window_documents") })
        #expect(try folder.text("whole/config.toml").contains("architecture = \"leaky\""))
    }

    @Test func thePredictionIsLaidBesideWhatTheRunRecorded() async throws {
        let folder = try Folder()
        try await folder.train("--run.trace_steps=2")
        let table = try ScheduleTable(text: folder.text("run/schedule.txt"))
        let costs = try CostFile(json: folder.text("run/costs.json"))
        let simulation = try Simulation(
            table, costs: costs.costs(for: table.shape), network: Network(uniform: costs.link ?? Link(latency: 0)))
        let comparison = try StepComparison(
            simulation, recorded: PerfettoTrace.timeline(json: folder.text("run/trace.json")))
        #expect(comparison.steps == 2 && Set(comparison.entries.map(\.stage)) == [0, 1])
        #expect(comparison.entries.allSatisfy { $0.time.predicted > 0 && $0.time.recorded > 0 })
        // Of microseconds, on a machine that has more to do.
        #expect(abs(comparison.table.error) < 3, "\(comparison.table)")
    }

    /// What steps tell, count and lay out they know from descriptions.
    @Test func noBlockIsMadeBesideThoseThatCompute() async throws {
        var counts: [Int] = []
        for steps in [2, 8] {
            let (folder, counter) = (try Folder(), LeakyModel.Counter())
            try await folder.train("--training.steps=\(steps)", counter: counter)
            counts.append(counter.count)
        }
        // Those of the stages; and those of the sample, which goes through slices of another length.
        #expect(counts == [2 * 6, 2 * 6])
    }

    @Test func anotherArchitectureIsAnotherRun() async throws {
        let folder = try Folder()
        try await folder.train("--training.steps=2")
        let other = """
            [model]
            layers = 2
            chunk = 6
            [data]
            path = "\(folder.path)/text.txt"
            sequence = 24
            [run]
            directory = "\(folder.path)/run"
            """
        try other.write(toFile: folder.path + "/run.toml", atomically: true, encoding: .utf8)
        let error = await #expect(throws: ConfigurationError.self) { try await folder.train() }
        #expect(
            error?.description.contains("model.architecture was leaky and is gecko") == true,
            "\(error?.description ?? "")")
    }
}
