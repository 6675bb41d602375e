import Foundation
import TestSupport
import Testing

/// The printed digest is the same for every layout of one replica, in process and under mpirun.
@Suite(.serialized) struct DigestTests {
    @Test(arguments: Workspace.models.keys.sorted())
    func everyLayoutPrintsTheSameDigest(_ model: String) async throws {
        let space = try Workspace(model)
        let alone = try await space.train()
        let digest = try #require(alone.digest, "\(alone.output)")
        #expect(alone.exitCode == 0)
        #expect(alone.output.hasSuffix("parameters sha256 \(digest)\n"))
        let layouts: [(overrides: [String], ranks: Int)] = [
            (["--pipeline.stages", "2"], 0),
            (["--pipeline.stages", "3", "--pipeline.recompute", "true"], 0),
            (["--pipeline.stages", "4", "--pipeline.schedule", "all-forward-all-backward"], 0),
            (["--machine.threads", "1"], 0),
            (["--machine.threads", "2"], 0),
            (["--pipeline.schedule", "zb-h1", "--pipeline.stages", "2"], 0),
            (["--pipeline.schedule", "interleaved", "--pipeline.stages", "2", "--pipeline.virtual", "2"], 0),
            (["--pipeline.schedule", "auto", "--pipeline.stages", "3", "--pipeline.cap", "7"], 0),
            (["--pipeline.schedule", "memory-capped", "--pipeline.stages", "2", "--pipeline.cap", "5"], 0),
            ([], 1),
            ([], 2),
            (["--pipeline.schedule", "all-forward-all-backward"], 3),
            (["--pipeline.recompute", "true", "--pipeline.layers", "1,1,1,1"], 4),
            (["--pipeline.schedule", "zbv"], 2),
            (["--pipeline.stash", "disk", "--pipeline.stash_directory", space.path], 0),
            (["--pipeline.stash", "disk", "--pipeline.schedule", "all-forward-all-backward"], 2),
            (["--pipeline.stash", "disk", "--pipeline.schedule", "zb-h1", "--pipeline.recompute", "true"], 2),
        ]
        for layout in layouts {
            let outcome = try await space.train(layout.overrides, ranks: layout.ranks)
            #expect(outcome.exitCode == 0, "\(layout): \(outcome.output)")
            #expect(outcome.digest == digest, "\(layout): \(outcome.output)")
        }
    }

    /// A Gecko without its parts: the same bits under mpirun, its checkpoints, text from it; no other goes on with it.
    @Test func aGeckoWithoutItsPartsTrainsResumesAndSpeaks() async throws {
        let space = try Workspace()
        let parts = [
            "--model.memory", "false", "--model.window", "chunk", "--model.timestep_norm", "cumulative", "--model.ema",
            "false", "--data.streams", "true",
        ]
        let alone = try await space.train(parts)
        let digest = try #require(alone.digest, "\(alone.output)")
        for (overrides, ranks) in [
            ([], 2), (["--pipeline.schedule", "zb-h1", "--pipeline.recompute", "true", "--pipeline.stash", "disk"], 2),
        ] {
            let outcome = try await space.train(parts + overrides, ranks: ranks)
            #expect(outcome.digest == digest, "\(overrides), \(ranks): \(outcome.output)")
        }
        let cut = ["--run.overwrite", "false", "--run.directory", space.path + "/cut", "--checkpoint.every", "1"]
        let dies = try await space.train(parts + cut, environment: ["GECKO_FAULT": "manifest-durable:2"])
        #expect(dies.exitCode != 0, "\(dies.output)")
        for (key, value) in [
            ("memory", "true"), ("window", "sliding"), ("timestep_norm", "decay"), ("ema", "true"),
        ] {
            let other = try await space.train(parts + cut + ["--model.\(key)", value])
            #expect(other.exitCode != 0 && other.output.contains("model.\(key)"), "\(other.output)")
        }
        let resumed = try await space.train(parts + cut + ["--pipeline.stages", "2"])
        #expect(resumed.digest == digest && resumed.output.contains("resuming after step 2"), "\(resumed.output)")
        let text = try await space.gecko("generate", space.path + "/cut", "--prompt", "1 geese", "--tokens", "40")
        #expect(text.exitCode == 0 && text.output.hasPrefix("1 geese"), "\(text.output)")
    }

    /// Two replicas: where they are, and who keeps the moments.
    @Test(arguments: Workspace.models.keys.sorted())
    func replicasPrintTheSameDigestInEveryLayout(_ model: String) async throws {
        let space = try Workspace(model)
        let two = ["--pipeline.replicas", "2"]
        let alone = try await space.train(two)
        let digest = try #require(alone.digest, "\(alone.output)")
        let shared = two + ["--pipeline.shard_optimizer", "true", "--pipeline.recompute", "true"]
        let outcome = try await space.train(shared, ranks: 4)
        #expect(outcome.digest == digest, "\(outcome.output)")
        // The trace of two stages can be compared with its simulation.
        let against = try await space.gecko("simulate", "--against", space.path + "/run")
        #expect(against.exitCode == 0, "\(against.output)")
    }

    /// Packed documents in streams; layers that keep every token see some of those before a sequence.
    @Test(arguments: Workspace.models.keys.sorted())
    func packedStreamsPrintTheSameDigestInEveryLayout(_ model: String) async throws {
        let space = try Workspace(model)
        let keeps = Workspace.keepingModels.contains(model)
        let packed = [
            "--data.packed", "true", "--data.separator", "7 swans. ", "--data.streams", "true", "--data.stream_context",
            keeps ? "24" : "0",
        ]
        let alone = try await space.train(packed)
        let digest = try #require(alone.digest, "\(alone.output)")
        #expect(try await space.train().digest != digest)
        for (overrides, ranks) in [
            (["--pipeline.schedule", "zb-h1", "--pipeline.recompute", "true"], 3),
            (["--pipeline.stages", "2", "--pipeline.schedule", "interleaved", "--pipeline.virtual", "2"], 0),
            (["--pipeline.stash", "disk", "--pipeline.stash_directory", space.path, "--machine.threads", "1"], 2),
        ] {
            let outcome = try await space.train(packed + overrides, ranks: ranks)
            #expect(outcome.digest == digest, "\(overrides), \(ranks): \(outcome.output)")
        }
        let other = try await space.train(packed + ["--data.stream_context", keeps ? "0" : "24"])
        #expect(other.exitCode != 0 && other.output.contains("data.stream_context"), "\(other.output)")
    }

    /// Slices of unequal length, in memory and on messages' way.
    @Test func slicesOfEqualCostGiveOneDigestInEveryLayout() async throws {
        let space = try Workspace("llama")
        let balanced = ["--pipeline.slices", "balanced"]
        let alone = try await space.train(balanced)
        let digest = try #require(alone.digest, "\(alone.output)")
        #expect(try await space.train().digest != digest)
        for (overrides, ranks) in [
            (["--pipeline.stages", "2", "--machine.threads", "1"], 0), ([], 2), (["--pipeline.recompute", "true"], 4),
            (["--pipeline.stages", "3", "--pipeline.schedule", "zb-h1"], 0),
        ] {
            let outcome = try await space.train(balanced + overrides, ranks: ranks)
            #expect(outcome.digest == digest, "\(overrides), \(ranks): \(outcome.output)")
        }
    }

    /// Bytes of a message and the digest of a run of two stages.
    private func twoStages(_ space: Workspace, _ overrides: [String], ranks: Int) async throws -> (Int, String) {
        let outcome = try await space.train(["--pipeline.stages", "2"] + overrides, ranks: ranks)
        let costs = try Data(contentsOf: URL(fileURLWithPath: space.path + "/run/costs.json"))
        let object = try #require(try JSONSerialization.jsonObject(with: costs) as? [String: Any])
        let bytes = (object["message_bytes"] as? [Int])?.first ?? object["message_bytes"] as? Int
        return (try #require(bytes, "\(object.keys)"), try #require(outcome.digest, "\(outcome.output)"))
    }

    @Test func compressedMessagesAreHalfAsLongAndChangeTheNumbersOnly() async throws {
        let space = try Workspace()
        let compressed = ["--pipeline.compress_messages", "true"]
        let plain = try await twoStages(space, [], ranks: 0)
        let short = try await twoStages(space, compressed, ranks: 0)
        #expect(2 * short.0 == plain.0)
        #expect(short.1 != plain.1)
        // The same over MPI, and nothing to compress in a pipeline of one.
        #expect(try await twoStages(space, compressed, ranks: 2) == short)
        let alone = try await space.train(compressed)
        #expect(alone.digest == plain.1)
    }

    @Test func theRunDirectoryHoldsTheResults() async throws {
        let space = try Workspace()
        let outcome = try await space.train(["--pipeline.stages=2"])
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        for file in ["config.toml", "metrics.jsonl", "loss.svg", "timeline.svg", "trace.json", "model.safetensors"] {
            let size = try FileManager.default.attributesOfItem(atPath: "\(space.path)/run/\(file)")[.size] as? Int
            #expect((size ?? 0) > 0, "\(file)")
        }
        let lines = try String(contentsOfFile: space.path + "/run/metrics.jsonl", encoding: .utf8).split(
            separator: "\n")
        #expect(lines.count == 3)
        let trace = try JSONSerialization.jsonObject(
            with: try Data(contentsOf: URL(fileURLWithPath: space.path + "/run/trace.json")))
        let events = try #require((trace as? [String: Any])?["traceEvents"] as? [[String: Any]])
        let starts = events.filter { $0["ph"] as? String == "s" }.count
        let ends = events.filter { $0["ph"] as? String == "f" }.count
        // 2 traced steps x 16 units x one activation and one gradient.
        #expect(starts == 64 && ends == 64)
        // The resolved configuration trains the same model again.
        let again = try await Mpirun.run("gecko", ["train", space.path + "/run/config.toml"], ranks: 0)
        #expect(again.digest == outcome.digest)
        let text = try await Mpirun.run(
            "gecko", ["generate", space.path + "/run", "--prompt", "1 geese", "--tokens", "4"], ranks: 0)
        #expect(text.exitCode == 0 && text.output.hasPrefix("1 geese"), "\(text.output)")
    }

    @Test func aScheduleFileTrains() async throws {
        let space = try Workspace()
        let file = space.path + "/mine.schedule"
        let saved = try await Mpirun.run(
            "gecko",
            ["simulate", "--stages", "2", "--sequences", "4", "--slices", "4", "--schedule", "zb-h1", "--save", file],
            ranks: 0)
        #expect(saved.exitCode == 0, "\(saved.output)")
        let alone = try await space.train()
        let found = try await space.train(["--pipeline.stages", "2", "--pipeline.schedule", file])
        #expect(found.exitCode == 0 && found.digest == alone.digest, "\(found.output)")
    }
}
