import Hardware
import Model
import Numerics
import TestSupport
import Testing

/// A model's bits don't depend on how many workers share it.
@Suite struct WorkerTests {
    @Test(arguments: [false, true])
    func upToFiveWorkersGiveTheSameBits(drops: Bool) throws {
        // Wide and long enough that everything is shared: rows, columns, groups, heads, tiles of attention.
        var model = SmallModel {
            ($0.dim, $0.zDim, $0.valueDim, $0.ffnDim, $0.heads, $0.chunk) = (68, 48, 72, 50, 3, 16)
            ($0.normGroups, $0.vocabulary, $0.bosID, $0.rescaleNFFN, $0.twoHopResidual) = (17, 50, 0, true, true)
            if drops { ($0.dropout, $0.hiddenDropout, $0.attentionDropout) = (0.2, 0.3, 0.25) }
        }
        model.length = 150
        let dropout = drops ? DropoutStream(seed: 1, step: 2, sequence: 3) : nil
        let ends = [37, 70, 150]
        let alone = model.result(ends, dropout: dropout)
        for workers in 2...5 {
            try withTeam(of: workers) { [model] team in
                expectSameBits(model.result(ends, team: team, dropout: dropout), alone, "\(workers) workers")
            }
        }
    }
}
