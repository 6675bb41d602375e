import Hardware
import Kernels
import Model
import Numerics
import TestSupport
import Testing

/// A model's bits don't depend on how many workers share it.
@Suite struct WorkerTests {
    /// Wide and long enough that everything is shared: rows, columns, groups, heads, tiles of attention.
    private func model(drops: Bool) -> (model: SmallModel, dropout: DropoutStream?, ends: [Int]) {
        var model = SmallModel {
            ($0.dim, $0.zDim, $0.valueDim, $0.ffnDim, $0.heads, $0.chunk) = (68, 48, 72, 50, 3, 16)
            ($0.normGroups, $0.vocabulary, $0.bosID, $0.rescaleNFFN, $0.twoHopResidual) = (17, 50, 0, true, true)
            if drops { ($0.dropout, $0.hiddenDropout, $0.attentionDropout) = (0.2, 0.3, 0.25) }
        }
        model.length = 150
        return (model, drops ? DropoutStream(seed: 1, step: 2, sequence: 3) : nil, [37, 70, 150])
    }

    @Test(arguments: [false, true])
    func upToFiveWorkersGiveTheSameBits(drops: Bool) throws {
        let (model, dropout, ends) = model(drops: drops)
        let alone = model.result(ends, dropout: dropout)
        for workers in 2...5 {
            try withTeam(of: workers) { team in
                expectSameBits(model.result(ends, team: team, dropout: dropout), alone, "\(workers) workers")
            }
        }
    }

    /// OpenBLAS with the tiles of this CPU for attention, and without any, as on a CPU that has none.
    @Test(arguments: [false, true], KernelTable.runnable.map(\.level))
    func openBLASGivesTheBitsThatItPromises(drops: Bool, level: Int) throws {
        let (model, dropout, ends) = model(drops: drops)
        let kernels = try #require(KernelTable.at(level: level))
        let library = try OpenBLASLibrary.opened.get()
        let engine = OpenBLASProducts(Team(), library, kernels: kernels)
        #expect((engine.tile == nil) == (level == 0))
        let alone = model.result(ends, engine, dropout: dropout)
        expectSameBits(model.result(ends, engine, dropout: dropout), alone, "the same again")
        guard engine.promises.contains(.workers) else { return }
        for workers in 2...5 {
            try withTeam(of: workers) { team in
                let engine = OpenBLASProducts(team, library, kernels: kernels)
                expectSameBits(model.result(ends, engine, dropout: dropout), alone, "\(workers) workers")
            }
        }
    }

    /// The engines differ by rounding only, with masks and several documents, forward and backward.
    @Test(arguments: [false, true], KernelTable.runnable.map(\.level))
    func openBLASComputesWhatTilesDo(drops: Bool, level: Int) throws {
        let (model, dropout, ends) = model(drops: drops)
        let kernels = try #require(KernelTable.at(level: level))
        let expected = model.result(ends, dropout: dropout)
        let engine = OpenBLASProducts(Team(), try OpenBLASLibrary.opened.get(), kernels: kernels)
        let found = model.result(ends, engine, dropout: dropout)
        #expect(abs(found.loss / expected.loss - 1) < 1e-5)
        #expect(deviation(found.logits.map(Double.init), from: expected.logits.map(Double.init)) < 1e-4)
        for (name, gradient) in expected.gradients {
            let other = try #require(found.gradients[name])
            #expect(deviation(other.map(Double.init), from: gradient.map(Double.init)) < 2e-3, "\(name)")
        }
    }
}
