import Model
import TestSupport
import Testing

/// A sequence in slices gives the loss, the logits, the state and every gradient of the whole sequence.
@Suite struct SliceBySliceTests {
    /// Single tokens, slices within a chunk, slices over several, ends at chunk boundaries and beside them.
    private static let cuts = [[4, 8, 12, 16, 20, 24, 28, 29], [1, 2, 9, 16, 27, 29], [15, 29]]

    @Test(arguments: [0, 1, 2], [false, true])
    func everyCombinationOfOptions(ropeHeads: Int, packed: Bool) {
        for (i, model) in SmallModel.combinations(ropeHeads: ropeHeads, packed: packed).enumerated() {
            let whole = model.result([model.length])
            #expect(whole.loss > 0.5 && whole.loss < 50)
            let cut = Self.cuts[i % Self.cuts.count]
            expectAgreement(model.result(cut), whole, "\(model.testDescription), cut at \(cut)")
        }
    }

    @Test(arguments: [false, true]) func everySingleCutAndEveryTokenAlone(packed: Bool) {
        expectEveryCutToAgree(SmallModel { $0.bosID = packed ? 0 : nil })
    }

    @Test func otherShapesOfHeadsAndGroups() {
        let shapes: [(inout GeckoConfiguration) -> Void] = [
            { ($0.heads, $0.ropeHeads, $0.lnGroups) = (1, 1, 3) }, { ($0.heads, $0.zDim, $0.valueDim) = (4, 8, 20) },
            { ($0.dim, $0.normGroups, $0.lnGroups) = (34, 2, 2) }, { ($0.chunk, $0.emaDim) = (1, 1) },
            { ($0.chunk, $0.normGroups) = (64, 6) }, { ($0.chunk, $0.emaDim, $0.layers) = (5, 4, 1) },
        ]
        for (i, shape) in shapes.enumerated() {
            for packed in [false, true] {
                let model = SmallModel {
                    shape(&$0)
                    $0.bosID = packed ? 0 : nil
                }
                expectAgreement(model.result([3, 10, 11, 29]), model.result([29]), "shape \(i), packed \(packed)")
            }
        }
    }

    @Test func documentsBeginWithoutMemoryOfTheOnesBefore() {
        expectDocumentsToBeApart(SmallModel { $0.bosID = 0 })
    }
}
