import Pipeline
import Testing

/// Replicas share a batch: within float rounding the same as one replica with all of it.
@Suite(.serialized) struct ReplicaTests {
    @Test func twoReplicasOfTwoStagesEqualOneReplicaWithTheWholeBatch() async throws {
        var one = Harness()
        one.sequences = 4
        let expected = try await one.run()
        var two = one
        two.stages = 2
        two.replicas = 2
        let found = try await two.run()
        for (a, b) in zip(found.losses + found.norms, expected.losses + expected.norms) {
            #expect(abs(a - b) < 2e-5 * abs(b))
        }
        // AdamW moves every parameter by up to its rate a step, whatever the gradient's size: rounding in a gradient
        // near zero shows as a share of that.
        let reach = Float(one.rate) * Float(one.steps)
        for (a, b) in zip(found.parameters, expected.parameters) {
            let worst = zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
            #expect(worst <= 0.01 * reach)
        }
    }

    /// Replicas bring their sequences in their order; slices cut no sum. (The model is as it was at first: after steps
    /// it would be another.)
    @Test func lossesOverPositionsAreTheSameWithAnyReplicasStagesAndSlices() async throws {
        var h = Harness()
        h.steps = 0
        let expected = try await h.run().positions
        #expect(expected.count == 3 * PositionBins(sequence: 64).count)
        h.replicas = 3
        h.stages = 2
        #expect(try await h.run().positions == expected)
        (h.slice, h.slices) = (32, 2)
        let longer = try await h.run().positions
        #expect(zip(longer, expected).allSatisfy { abs($0 - $1) < 1e-5 * $1 })
    }

    @Test func theNumberOfStagesDoesNotMatterWithThreeReplicas() async throws {
        var h = Harness()
        h.replicas = 3
        let expected = try await h.run()
        for stages in [2, 3] {
            h.stages = stages
            #expect(try await h.run() == expected)
        }
    }
}
