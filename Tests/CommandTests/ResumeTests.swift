import Foundation
import TestSupport
import Testing

/// A run that is cut and goes on, under whatever layout, ends with the bytes of one that was never cut.
@Suite(.serialized) struct ResumeTests {
    /// Twelve steps, a checkpoint every three.
    private static let steps = ["--training.steps", "12", "--checkpoint.every", "3", "--run.overwrite", "false"]

    private func lines(_ space: Workspace, _ run: String) throws -> [Int] {
        try String(contentsOfFile: "\(space.path)/\(run)/metrics.jsonl", encoding: .utf8).split(separator: "\n").map {
            let line = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            return try #require(line?["step"] as? Int)
        }
    }

    /// Each leg dies when the checkpoint of the step given is whole; its successor has another layout.
    @Test(arguments: [
        ("gecko", false), ("gecko", true), ("llama", false), ("llama", true), ("megalodon", true), ("mega", true),
        ("mega whole, laplace", true),
    ])
    func fourStagesThenOneThenTwoThenFourGiveTheUninterruptedDigest(_ model: String, streams: Bool) async throws {
        let space = try Workspace(model)
        let context = streams && Workspace.keepingModels.contains(model) ? "40" : "0"
        let common = Self.steps + ["--data.streams", "\(streams)", "--data.stream_context", context]
        let whole = try await space.train(common + ["--run.directory", space.path + "/whole"])
        let digest = try #require(whole.digest, "\(whole.output)")
        let legs: [(overrides: [String], ranks: Int, dies: Int?)] = [
            (["--pipeline.schedule", "zb-h1"], 4, 3),
            (["--machine.threads", "2"], 0, 6),
            (["--pipeline.recompute", "true"], 2, 9),
            ([], 4, nil),
        ]
        for (i, leg) in legs.enumerated() {
            let outcome = try await space.train(
                common + leg.overrides, ranks: leg.ranks,
                environment: leg.dies.map { ["GECKO_FAULT": "manifest-durable:\($0)"] } ?? [:])
            #expect((outcome.exitCode == 0) == (leg.dies == nil), "leg \(i): \(outcome.output)")
            #expect(outcome.output.contains("resuming after step") == (i > 0), "leg \(i): \(outcome.output)")
            if leg.dies == nil { #expect(outcome.digest == digest, "\(outcome.output)") }
        }
        #expect(try lines(space, "run") == Array(1...12))
    }

    /// Two replicas; each leg changes who keeps the moments, the last ones also how many replicas there are.
    @Test func sharingTheOptimizerOutOrNotGivesTheUninterruptedDigest() async throws {
        let space = try Workspace()
        let two = ["--pipeline.replicas", "2"]
        let shared = two + ["--pipeline.shard_optimizer", "true"]
        let one = ["--pipeline.replicas", "1", "--pipeline.shard_optimizer", "true"]
        func digest(_ name: String, _ legs: [(overrides: [String], ranks: Int)]) async throws -> String {
            var digest: String?
            for (i, leg) in legs.enumerated() {
                let dies = i < legs.count - 1
                let outcome = try await space.train(
                    Self.steps + ["--run.directory", "\(space.path)/\(name)"] + leg.overrides, ranks: leg.ranks,
                    environment: dies ? ["GECKO_FAULT": "manifest-durable:\(3 * (i + 1))"] : [:])
                #expect((outcome.exitCode == 0) != dies, "\(name), leg \(i): \(outcome.output)")
                #expect(outcome.output.contains("resuming after step") == (i > 0), "\(name): \(outcome.output)")
                digest = outcome.digest
            }
            return try #require(digest)
        }
        let expected = try await digest("whole", [(two, 0)])
        let legs = [(shared, 4), (two, 0), (shared + ["--pipeline.stages", "2"], 0), (shared, 2)]
        #expect(try await digest("legs", legs) == expected)
        let fewer = try await digest("fewer", [(two, 0), (["--pipeline.replicas", "1"], 0), (two, 0)])
        #expect(try await digest("fewer-shared", [(shared, 2), (one, 0), (shared, 0)]) == fewer)
    }

    /// Whatever the point of death, on whichever rank, the same command goes on and ends with the same bytes.
    @Test func deathAtAnyPointLosesNothing() async throws {
        let space = try Workspace()
        let whole = try await space.train(Self.steps + ["--run.directory", space.path + "/whole"])
        let digest = try #require(whole.digest, "\(whole.output)")
        let points = [
            "snapshot-taken:6:1", "part-begin:6:0", "part-half:6:1", "part-written:6:0", "part-flushed:6:1",
            "part-durable:6:0", "manifest-begin:6", "manifest-half:6", "manifest-flushed:6", "manifest-durable:6",
            "cleanup-begin:9", "cleanup-renamed:12", "cleanup-half:12", "cleanup-done:12",
        ]
        for (i, point) in points.enumerated() {
            let run = ["--run.directory", "\(space.path)/run\(i)", "--checkpoint.keep", "2"]
            // Some in one process with two ranks, some under mpirun, where the other rank is left behind.
            let layout = ["--pipeline.stages", "2"]
            let ranks = i % 3 == 2 ? 2 : 0
            let cut = try await space.train(
                Self.steps + run + layout, ranks: ranks, environment: ["GECKO_FAULT": point])
            #expect(cut.exitCode != 0, "\(point): \(cut.output)")
            let again = try await space.train(Self.steps + run + layout, ranks: 0)
            #expect(again.digest == digest, "\(point): \(again.output)")
            #expect(again.output.contains("resuming after step"), "\(point): \(again.output)")
            #expect(try lines(space, "run\(i)") == Array(1...12), "\(point)")
        }
    }
}
