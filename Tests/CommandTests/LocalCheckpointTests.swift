import Foundation
import TestSupport
import Testing

/// Node-local checkpoints; a directory for each rank stands for a node of its own.
@Suite(.serialized) struct LocalCheckpointTests {
    private func settings(_ space: Workspace) -> [String] {
        [
            "--training.steps", "12", "--run.overwrite", "false", "--data.streams", "true", "--checkpoint.every", "0",
            "--checkpoint.local_every", "3", "--checkpoint.local_directory", space.path + "/node{rank}/ckpt",
        ]
    }

    /// A run on three nodes that died when every node had step 9; what `lose` then does to the nodes.
    private func afterLoss(
        ranks: Int, again: [String] = [], lose: (String) throws -> Void
    ) async throws -> (again: Mpirun.Outcome, digest: String) {
        let space = try Workspace()
        let whole = try await space.train(["--training.steps", "12", "--data.streams", "true"])
        let digest = try #require(whole.digest, "\(whole.output)")
        let layout = ranks == 0 ? ["--pipeline.stages", "3"] : []
        try FileManager.default.removeItem(atPath: space.path + "/run")
        // Step 11 comes after the wait of step 12's checkpoint at the earliest, so that of step 9 is over.
        let cut = try await space.train(
            settings(space) + layout, ranks: ranks, environment: ["GECKO_FAULT": "snapshot-taken:12"])
        #expect(cut.exitCode != 0, "\(cut.output)")
        try lose(space.path)
        return (
            try await space.train(settings(space) + (again.isEmpty ? layout : again), ranks: again.isEmpty ? ranks : 0),
            digest
        )
    }

    @Test(arguments: [0, 3]) func aLostNodeComesBackFromItsPartner(ranks: Int) async throws {
        let (again, digest) = try await afterLoss(ranks: ranks) { path in
            try FileManager.default.removeItem(atPath: path + "/node1")
        }
        #expect(
            again.output.contains("rank-0001.safetensors of step 9 comes back from rank 2's node"), "\(again.output)")
        #expect(again.output.contains("resuming after step 9"), "\(again.output)")
        #expect(again.digest == digest, "\(again.output)")
    }

    @Test func aDamagedFileIsReplacedByItsCopy() async throws {
        let (again, digest) = try await afterLoss(ranks: 0) { path in
            let file = URL(fileURLWithPath: path + "/node0/ckpt/step-00000009/rank-0000.safetensors")
            var data = try Data(contentsOf: file)
            data[data.count / 2] ^= 1
            try data.write(to: file)
        }
        #expect(again.output.contains("node0/ckpt/step-00000009/rank-0000.safetensors: its sha256"), "\(again.output)")
        #expect(again.output.contains("resuming after step 9") && again.digest == digest, "\(again.output)")
    }

    @Test func twoNodesSideBySideAreTooMany() async throws {
        let (again, _) = try await afterLoss(ranks: 0) { path in
            try FileManager.default.removeItem(atPath: path + "/node1")
            try FileManager.default.removeItem(atPath: path + "/node2")
        }
        #expect(again.output.contains("is whole on no node"), "\(again.output)")
        #expect(again.exitCode != 0)
    }

    /// Two ranks look on two of the three nodes, where the third one's files are as copies.
    @Test func anotherLayoutFindsItsFilesOnOtherNodes() async throws {
        let (again, digest) = try await afterLoss(ranks: 0, again: ["--pipeline.stages", "2"]) { _ in }
        #expect(again.output.contains("rank-0001.safetensors of step 9 comes back"), "\(again.output)")
        #expect(again.output.contains("resuming after step 9") && again.digest == digest, "\(again.output)")
    }

    /// Each replica's moments are on its own node; a run that keeps all on every replica wants them from both.
    @Test(arguments: [true, false]) func momentsOfReplicasComeBack(shares: Bool) async throws {
        let space = try Workspace()
        let layout = ["--pipeline.replicas", "2", "--pipeline.shard_optimizer"]
        let whole = try await space.train(["--training.steps", "12", "--data.streams", "true"] + layout + ["true"])
        let digest = try #require(whole.digest, "\(whole.output)")
        try FileManager.default.removeItem(atPath: space.path + "/run")
        let cut = try await space.train(
            settings(space) + layout + ["true"], environment: ["GECKO_FAULT": "snapshot-taken:12"])
        #expect(cut.exitCode != 0, "\(cut.output)")
        try FileManager.default.removeItem(atPath: space.path + "/node1")
        let again = try await space.train(settings(space) + layout + ["\(shares)"])
        #expect(
            again.output.contains("rank-0001.safetensors of step 9 comes back from rank 0's node"), "\(again.output)")
        #expect(again.output.contains("resuming after step 9") && again.digest == digest, "\(again.output)")
    }

    @Test func theKeysBelongTogether() async throws {
        let space = try Workspace()
        let outcome = try await space.train(["--checkpoint.local_every", "3"])
        #expect(outcome.exitCode != 0 && outcome.output.contains("checkpoint.local_directory"), "\(outcome.output)")
    }
}
