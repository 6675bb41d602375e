import Glibc
import Hardware
import Kernels
import Model
import Numerics
import TestSupport
import Testing
import Verification

@Suite struct DropoutTests {
    private static let dropped = SmallModel {
        ($0.dropout, $0.hiddenDropout, $0.attentionDropout) = (0.2, 0.3, 0.25)
        $0.bosID = 0
    }
    private static let stream = DropoutStream(seed: 7, step: 3, sequence: 5)

    @Test func masksDependOnPositionsOnlySoAnyCutAgrees() {
        let model = Self.dropped
        let whole = model.result([29], dropout: Self.stream)
        for cut in [[4, 8, 12, 16, 20, 24, 28, 29], [1, 2, 9, 16, 27, 29], Array(1...29)] {
            expectAgreement(model.result(cut, dropout: Self.stream), whole, "cut at \(cut)")
        }
        // It really drops.
        #expect(abs(whole.loss - model.result([29]).loss) > 1e-3)
    }

    @Test func rateZeroIsTheSameAsNoStream() {
        let model = SmallModel()
        expectSameBits(model.result([10, 29], dropout: Self.stream), model.result([10, 29]), "rate 0")
    }

    @Test(arguments: [
        DropoutStream(seed: 8, step: 3, sequence: 5), DropoutStream(seed: 7, step: 4, sequence: 5),
        DropoutStream(seed: 7, step: 3, sequence: 6),
    ])
    func anotherSeedStepOrSequenceDrawsOtherMasks(other: DropoutStream) {
        let model = Self.dropped
        #expect(abs(model.result([29], dropout: other).loss - model.result([29], dropout: Self.stream).loss) > 1e-4)
    }

    @Test(
        arguments: [
            \GeckoConfiguration.dropout, \GeckoConfiguration.hiddenDropout, \GeckoConfiguration.attentionDropout,
        ] as [any WritableKeyPath<GeckoConfiguration, Double> & Sendable])
    func everyRateActsByItself(rate: any WritableKeyPath<GeckoConfiguration, Double> & Sendable) {
        let model = SmallModel { $0[keyPath: rate] = 0.3 }
        #expect(abs(model.result([29], dropout: Self.stream).loss - model.result([29]).loss) > 1e-4)
    }

    @Test func keysOfSitesDiffer() {
        let keys = (0..<4).flatMap { layer in (0..<20).map { Self.stream.key(layer: layer, site: $0) } }
        #expect(Set(keys).count == keys.count)
    }

    @Test(arguments: [0.1, 0.5, 0.9]) func theExpectedShareIsKeptAndTheMeanStays(rate: Double) {
        let (T, n) = (400, 50)
        let plan = RandomStream(length: T, chunk: 1 << 20, bos: nil).plan(GeckoCursor.start, length: T)
        let context = SliceContext(
            matrices: TileProducts(Team()), plan: plan, workspace: FloatBuffer(0).base, dropout: Self.stream)
        let x = FloatBuffer([Float](repeating: 1, count: T * n))
        let y = FloatBuffer(T * n)
        Dropout(rate: rate, layer: 1, site: 2).apply(context, x.base, y.base, n)
        let kept = y.values.filter { $0 != 0 }
        let count = Double(T * n)
        #expect(abs(Double(kept.count) / count - (1 - rate)) < 5 * (rate * (1 - rate) / count).squareRoot())
        #expect(kept.allSatisfy { $0 == Float(1 / (1 - rate)) })
        // Every column and every row has both: masks are no stripes.
        for i in 0..<n { #expect(Set((0..<T).map { y.values[$0 * n + i] }).count == 2) }
    }

    @Test func forwardAndBackwardDropTheSame() {
        let (T, n) = (20, 9)
        let plan = RandomStream(length: T, chunk: 1 << 20, bos: nil).plan(GeckoCursor.start, length: T)
        let context = SliceContext(
            matrices: TileProducts(Team()), plan: plan, workspace: FloatBuffer(0).base, dropout: Self.stream)
        let ones = FloatBuffer([Float](repeating: 1, count: T * n))
        let (first, again) = (FloatBuffer(T * n), FloatBuffer([Float](repeating: 1, count: T * n)))
        let site = Dropout(rate: 0.4, layer: 0, site: 1)
        site.apply(context, ones.base, first.base, n)
        site.apply(context, again.base, again.base, n)
        #expect(first.values == again.values)
    }

    /// With its masks held, the model with dropout is a smooth function: its gradient along itself is the loss's slope.
    @Test func gradientsAreTheSlopesOfTheDroppedLoss() {
        expectSlopes(of: Self.dropped, dropout: Self.stream)
    }
}
