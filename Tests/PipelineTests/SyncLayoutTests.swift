import Model
import Numerics
import Pipeline
import Testing

@Suite struct SyncLayoutTests {
    private func harness(replicas: Int, shards: Bool) -> Harness {
        var harness = Harness(stages: 2, replicas: replicas, schedule: "interleaved", sequences: replicas, slices: 2)
        harness.shards = shards
        harness.bucket = 1
        harness.piece = 400
        return harness
    }

    /// Every float is summed once, but for paddings between tensors of different owners.
    @Test(arguments: [2, 3, 5], [false, true]) func piecesCoverEveryTensorOnce(replicas: Int, shards: Bool) throws {
        let plan = try harness(replicas: replicas, shards: shards).plan()
        for rank in 0..<plan.ranks {
            let layout = SyncLayout(plan, rank: rank)
            for stage in plan.table.shape.stages(on: rank) {
                let store = ParameterLayout(plan.blocks(of: stage).flatMap(\.parameters))
                var times = [Int](repeating: 0, count: store.count)
                for (replica, part) in layout.parts.enumerated() {
                    for piece in part where piece.stage == stage {
                        #expect(1...100 ~= piece.floats.count)
                        for i in piece.floats { times[i] += 1 }
                        guard let owners = plan.owners?[stage] else { continue }
                        for (entry, owner) in zip(store.entries, owners)
                        where piece.floats.overlaps(entry.offset..<entry.offset + entry.count) {
                            #expect(owner == replica)
                        }
                    }
                }
                for entry in store.entries {
                    #expect(times[entry.offset..<entry.offset + entry.count].allSatisfy { $0 == 1 })
                }
                #expect(times.allSatisfy { $0 <= 1 })
            }
            #expect(layout.ends.allSatisfy { $0.count == layout.buckets.count + 1 && $0 == $0.sorted() })
        }
    }

    /// Blocks are complete from the last to the first; small ones go with the block before.
    @Test func bucketsAreRunsOfBlocks() throws {
        var harness = Harness(replicas: 2, sequences: 2)
        // The embedding and the output layer have some 6 KB each, a layer some 70.
        harness.bucket = 20_000
        #expect(SyncLayout(try harness.plan(), rank: 0).buckets.map(\.block) == [4, 3, 2, 1, 0])
        harness.bucket = 1
        #expect(SyncLayout(try harness.plan(), rank: 0).buckets.map(\.block) == [5, 4, 3, 2, 1, 0])
        harness.bucket = 1 << 30
        #expect(SyncLayout(try harness.plan(), rank: 0).buckets.map(\.block) == [0])
    }

    /// Of two stages on a rank the one whose last backward comes first goes first.
    @Test func stagesComeInTheOrderOfTheirLastBackward() throws {
        let plan = try harness(replicas: 2, shards: false).plan()
        let stages = SyncLayout(plan, rank: 0).buckets.map(\.stage)
        let last = plan.table.rows[0].filter { $0.kind.givesWeightGradient }.last?.stage
        #expect(Set(stages).count == 2 && stages.last == last && stages == stages.sorted(by: >))
    }

    @Test(arguments: 2...6) func ownersHaveEqualShares(replicas: Int) throws {
        let specs = try Harness().plan().blocks(of: 0).flatMap(\.parameters)
        let owners = TensorOwners.of(specs, among: replicas, tied: [])
        var loads = [Int](repeating: 0, count: replicas)
        for (spec, owner) in zip(specs, owners) { loads[owner] += spec.count }
        let largest = specs.map(\.count).max() ?? 0
        let mean = loads.reduce(0, +) / replicas
        #expect(loads.allSatisfy { $0 > 0 && $0 <= mean + largest }, "\(loads)")
        #expect(TensorOwners.of(specs, among: replicas, tied: []) == owners)
    }

    @Test func bothCopiesOfATiedEmbeddingHaveOneOwner() throws {
        var harness = Harness(stages: 2, replicas: 3, sequences: 3)
        harness.model.tieEmbeddings = true
        harness.shards = true
        let plan = try harness.plan()
        for (stage, name) in [(0, GeckoConfiguration.embeddingWeight), (1, OutputLayer.tiedName)] {
            let names = plan.blocks(of: stage).flatMap(\.parameters).map(\.name)
            let tensor = try #require(names.firstIndex(of: name))
            #expect(plan.owners?[stage][tensor] == 0)
        }
    }

    /// Shared out, the moments of all replicas take what one replica's did, and nothing else of a rank shrinks.
    @Test(arguments: [2, 3, 4]) func memoryOfMoments(replicas: Int) throws {
        let whole = try harness(replicas: replicas, shards: false).plan()
        let shared = try harness(replicas: replicas, shards: true).plan()
        for stage in 0...shared.lastStage {
            let before = whole.memory(of: stage, workers: 1)
            let after = (0..<replicas).map { shared.memory(of: stage, workers: 1, replica: $0) }
            // Paddings differ: at most 16 floats a tensor and moment.
            let padding = 128 * (whole.blocks(of: stage).flatMap(\.parameters).count)
            #expect(before.moments == 2 * before.values)
            #expect(abs(after.reduce(0) { $0 + $1.moments } - before.moments) <= padding)
            #expect(after.allSatisfy { $0.values == before.values && $0.moments < before.moments })
            for (replica, memory) in after.enumerated() {
                let store = ParameterStore(
                    shared.blocks(of: stage).flatMap(\.parameters),
                    keepsMoments: shared.keepsMoments(replica: replica, stage: stage))
                let floats = [store.values, store.gradients, store.firstMoments, store.secondMoments].map(\.count)
                #expect(memory.parameters == 4 * floats.reduce(0, +))
            }
        }
        let ranks = (0..<shared.world).map { shared.memory(ofRank: $0, workers: 1, checkpoints: true) }
        for (rank, memory) in ranks.enumerated() {
            let before = whole.memory(ofRank: rank, workers: 1, checkpoints: true)
            #expect(memory.parameters < before.parameters)
            // Without sharding the first replica's ranks copy everything for a checkpoint and the others nothing.
            #expect(rank < shared.ranks ? memory.snapshot < before.snapshot : memory.snapshot > before.snapshot)
        }
    }
}
