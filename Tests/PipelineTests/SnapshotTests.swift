import Hardware
import Model
import Numerics
import Pipeline
import Testing

/// A snapshot is the state between two steps, whatever happens after, and any layout can go on from it.
@Suite struct SnapshotTests {
    /// The tensors of snapshots, by name.
    final class Memory: StateSource, Sendable {
        struct Tensor: Sendable {
            let shape: [Int]
            let values: [Float]
        }
        struct Missing: Error { let name: String }

        let tensors: [String: Tensor]
        let cursors: [Int: StreamCursor]

        init(_ snapshots: [RankSnapshot]) {
            tensors = Dictionary(
                uniqueKeysWithValues: snapshots.flatMap { $0.parameters + $0.states }.map {
                    (
                        $0.name,
                        Tensor(shape: $0.shape, values: Array(UnsafeBufferPointer(start: $0.values, count: $0.count)))
                    )
                })
            cursors = Dictionary(snapshots.flatMap(\.cursors).map { ($0.stream, $0.cursor) }) { a, b in
                #expect(a == b, "all ranks stand at the same place")
                return a
            }
        }

        func withTensor(_ name: String, shape: [Int], _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
            guard let tensor = tensors[name], tensor.shape == shape else { throw Missing(name: name) }
            try tensor.values.withUnsafeBytes(body)
        }

        func cursor(stream: Int, _ form: CursorForm) throws -> StreamCursor {
            guard let cursor = cursors[stream] else { throw Missing(name: "cursor \(stream)") }
            return cursor
        }
    }

    private func steps(_ harness: Harness, _ group: RankGroup, _ range: Range<Int>) async throws {
        for step in range {
            _ = try await group.step(
                (0..<harness.replicas).map { harness.batch(step: step, replica: $0) }, number: step,
                rule: UpdateRule(adam: AdamW(), rate: harness.rate, clip: 1))
        }
    }

    private func parameters(_ group: RankGroup) async throws -> [[Float]] {
        try await group.collectParameters(into: { Harness.Sink() }, finish: { $0.values }) ?? []
    }

    private func withGroup<Value>(_ harness: Harness, _ body: (RankGroup) async throws -> Value) async throws -> Value {
        let group = try await RankGroup.inProcess(
            plan: try harness.plan(), seed: 5, topology: try Topology(), threads: harness.threads)
        do {
            let value = try await body(group)
            await group.stop()
            return value
        } catch {
            await group.stop()
            throw error
        }
    }

    @Test(arguments: [(false, false), (true, false), (true, true)])
    func anyLayoutGoesOnFromASnapshot(streams: Bool, tied: Bool) async throws {
        var harness = Harness()
        harness.streams = streams
        harness.model.tieEmbeddings = tied
        harness.stages = 2
        let (memory, uninterrupted) = try await withGroup(harness) { group in
            try await steps(harness, group, 0..<2)
            let then = try await parameters(group)
            let snapshots = try await group.makeSnapshots().compactMap { $0 }
            let reports = try await group.capture(snapshots)
            #expect(reports.allSatisfy { $0.bytes > 0 })
            // Training goes on in place while the snapshot is read.
            try await steps(harness, group, 2..<4)
            let memory = Memory(snapshots)
            for snapshot in snapshots { snapshot.giveBack() }
            let names = try await group.collectParameters(into: { Harness.Sink() }, finish: { $0.names }) ?? []
            #expect(names.map { memory.tensors[$0]?.values } == then)
            return (memory, try await parameters(group))
        }
        #expect(memory.cursors.count == (streams ? harness.sequences : 0))
        var layouts = [harness, harness, harness, harness]
        layouts[1].stages = 1
        layouts[1].threads = 2
        layouts[2].stages = 4
        layouts[2].recompute = true
        layouts[3].stages = 2
        layouts[3].virtualStages = 2
        layouts[3].schedule = "interleaved"
        for layout in layouts {
            let found = try await withGroup(layout) { group in
                try await group.restore(from: { _ in memory }, optimizerStep: 2, streams: streams)
                try await steps(layout, group, 2..<4)
                return try await parameters(group)
            }
            #expect(found == uninterrupted, "\(layout.stages) stages, \(layout.schedule)")
        }
    }

    @Test func replicasSaveTheirParametersOnceAndEachItsStreams() async throws {
        var harness = Harness()
        harness.sequences = 4
        harness.replicas = 2
        harness.streams = true
        let memory = try await withGroup(harness) { group in
            try await steps(harness, group, 0..<2)
            let snapshots = try await group.makeSnapshots().compactMap { $0 }
            _ = try await group.capture(snapshots)
            #expect(snapshots[1].parameters.isEmpty && !snapshots[1].states.isEmpty)
            return Memory(snapshots)
        }
        #expect(memory.cursors.keys.sorted() == [0, 1, 2, 3])
        var one = harness
        one.replicas = 1
        try await withGroup(one) { group in
            try await group.restore(from: { _ in memory }, optimizerStep: 2, streams: true)
            try await steps(one, group, 2..<3)
        }
    }

    @Test func whatIsMissingIsNamed() async throws {
        let harness = Harness()
        try await withGroup(harness) { group in
            let snapshots = try await group.makeSnapshots().compactMap { $0 }
            _ = try await group.capture(snapshots)
            let memory = Memory(snapshots)
            var streams = harness
            streams.streams = true
            await #expect(throws: Memory.Missing.self) {
                try await withGroup(streams) {
                    try await $0.restore(from: { _ in memory }, optimizerStep: 1, streams: true)
                }
            }
        }
    }
}
