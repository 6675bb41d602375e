import Hardware
import Model
import TestSupport
import Testing

/// A Gecko without some of its parts.
struct Ablation: Sendable, CustomTestStringConvertible {
    let testDescription: String
    private let change: @Sendable (inout GeckoConfiguration) -> Void

    static let all: [Ablation] = [
        Ablation(testDescription: "no memory") { $0.memory = false },
        Ablation(testDescription: "own chunk") { $0.window = .chunk },
        Ablation(testDescription: "cumulative norm") { $0.timestepNorm = .cumulative },
        Ablation(testDescription: "no EMA") { $0.ema = false },
        Ablation(testDescription: "none of them") {
            ($0.memory, $0.window, $0.timestepNorm, $0.ema) = (false, .chunk, .cumulative, false)
        },
    ]

    func model(packed: Bool, _ more: (inout GeckoConfiguration) -> Void = { _ in }) -> SmallModel {
        SmallModel {
            change(&$0)
            $0.bosID = packed ? 0 : nil
            more(&$0)
        }
    }
}

/// A Gecko without its parts: gradients, cuts, documents, and against models that must say the same.
@Suite struct AblationTests {
    @Test(arguments: Ablation.all, [false, true]) func gradientsAreTheSlopesOfTheLoss(_ a: Ablation, packed: Bool) {
        expectSlopes(of: a.model(packed: packed))
        expectSlopes(of: a.model(packed: !packed) { ($0.twoHopResidual, $0.normAffine) = (true, false) })
    }

    @Test(arguments: Ablation.all, [false, true]) func everySingleCutAndEveryTokenAlone(_ a: Ablation, packed: Bool) {
        let model = a.model(packed: packed)
        expectEveryCutToAgree(model)
        for cut in [[4, 8, 12, 16, 20, 24, 28, 29], [1, 2, 9, 16, 27, 29], [3, 10, 11, 29]] {
            expectAgreement(model.result(cut), model.result([model.length]), "\(a), cut at \(cut)")
        }
    }

    /// All sixteen combinations, and dropout, whose masks don't depend on the cut.
    @Test(arguments: [false, true]) func everyCombinationInSlices(packed: Bool) {
        for bits in 0..<16 {
            let model = SmallModel { c in
                c.memory = bits & 1 != 0
                c.window = bits & 2 != 0 ? .sliding : .chunk
                c.timestepNorm = bits & 4 != 0 ? .decay : .cumulative
                c.ema = bits & 8 != 0
                c.bosID = packed ? 0 : nil
                (c.dropout, c.hiddenDropout, c.attentionDropout) = (0.1, 0.2, 0.3)
            }
            for dropout in [nil, DropoutStream(seed: 3, step: 2, sequence: 5)] {
                expectAgreement(
                    model.result([2, 9, 16, 27, 29], dropout: dropout), model.result([29], dropout: dropout),
                    "combination \(bits)")
            }
        }
    }

    @Test(arguments: Ablation.all) func documentsKnowNothingOfTheOnesBefore(_ a: Ablation) {
        // In a chunk of its own: where rotary positions and chunks begin is the same.
        expectDocumentsToBeApart(a.model(packed: true) { $0.chunk = 64 })
    }

    @Test(arguments: Ablation.all) func workersChangeNoBit(_ a: Ablation) throws {
        var model = a.model(packed: true) {
            ($0.dim, $0.zDim, $0.valueDim, $0.ffnDim, $0.heads, $0.chunk) = (68, 48, 72, 50, 3, 16)
            ($0.normGroups, $0.vocabulary) = (17, 50)
        }
        model.length = 90
        let long = model
        let alone = long.result([37, 70, 90])
        try withTeam(of: 3) { expectSameBits(long.result([37, 70, 90], team: $0), alone, "\(a), 3 workers") }
    }
}

/// A model whose parameters are made from the random ones.
private struct Mapped<Base: RunnableModel>: RunnableModel {
    var base: Base
    let map: @Sendable (_ values: [Float], _ name: String) -> [Float]

    var configuration: Base.Model { base.configuration }
    var length: Int { base.length }
    func values(_ random: [Float], of parameter: String) -> [Float] { map(random, parameter) }
}

/// Models that are written in two ways.
@Suite struct AblationLikenessTests {
    /// Float32's rounding is all that tells two such models apart.
    private func expectLikeness(
        _ found: ModelResult, _ expected: ModelResult, _ what: String,
        gradient: (_ name: String, _ values: [Float]) -> [Float]? = { $1 }
    ) {
        #expect(abs(found.loss / expected.loss - 1) < 2e-6, "\(what): \(found.loss), not \(expected.loss)")
        let logits = deviation(doubles(found.logits), from: doubles(expected.logits))
        #expect(logits < 2e-5, "\(what): logits deviate by \(logits)")
        var compared = 0
        for (name, values) in expected.gradients {
            guard let values = gradient(name, values) else { continue }
            let worst = deviation(doubles(found.gradients[name] ?? []), from: doubles(values))
            #expect(worst < 1e-4, "\(what): the gradient of \(name) deviates by \(worst)")
            compared += 1
        }
        #expect(compared == found.gradients.count, "\(what): \(found.gradients.keys.sorted())")
    }

    /// A Gecko of a Megalodon's parts is a Megalodon: omega is 1, gamma has the root in it, positions begin with the
    /// stream instead of the chunk.
    @Test(arguments: [false, true]) func withoutMemoryAndWindowAndDecayItIsAMegalodon(packed: Bool) {
        let gecko = Mapped(
            base: SmallModel {
                ($0.memory, $0.window, $0.timestepNorm, $0.twoHopResidual) = (false, .chunk, .cumulative, true)
                ($0.ropeHeads, $0.bosID) = (2, packed ? 0 : nil)
            }
        ) { values, name in
            name.hasSuffix("cema.gamma") ? values.map { $0 / Float(3).squareRoot() } : values
        }
        let megalodon = Mapped(base: SmallMegalodon { $0.bosID = packed ? 0 : nil }) { values, name in
            name.hasSuffix("cema.omega") ? values.map { _ in 1 } : values
        }
        for cut in [[29], [3, 10, 11, 29]] {
            expectLikeness(gecko.result(cut), megalodon.result(cut), "packed \(packed), cut at \(cut)") {
                if $0.hasSuffix("cema.omega") { return nil }
                return $0.hasSuffix("cema.gamma") ? $1.map { $0 * Float(3).squareRoot() } : $1
            }
        }
    }

    /// Where gamma is 0 the moving average adds nothing to its residual.
    @Test(arguments: [false, true]) func withoutAnEMAItIsAModelWhoseAverageIsNothing(packed: Bool) {
        let without = SmallModel { ($0.ema, $0.bosID) = (false, packed ? 0 : nil) }
        let zero = Mapped(base: SmallModel { $0.bosID = packed ? 0 : nil }) { values, name in
            name.hasSuffix("cema.gamma") ? values.map { _ in 0 } : values
        }
        expectLikeness(without.result([3, 10, 29]), zero.result([3, 10, 29]), "packed \(packed)") { name, values in
            name.contains("cema.") ? nil : values
        }
    }

    /// Before a chunk has left the window the memory gives nothing.
    @Test(arguments: [false, true]) func withoutMemoryItIsAModelWhoseMemoryIsEmpty(packed: Bool) {
        func model(_ memory: Bool) -> SmallModel {
            SmallModel { ($0.memory, $0.chunk, $0.bosID) = (memory, 16, packed ? 0 : nil) }
        }
        let Z = model(true).configuration.zDim
        expectLikeness(model(false).result([3, 20, 29]), model(true).result([3, 20, 29]), "packed \(packed)") {
            $0.hasSuffix("mega.gamma") || $0.hasSuffix("mega.beta") ? Array($1.prefix(2 * Z)) : $1
        }
        // With the chunks' own size it isn't: the test sees a memory.
        let (with, without) = (
            SmallModel { _ in }.result([29]), SmallModel { $0.memory = false }.result([29])
        )
        #expect(abs(with.loss / without.loss - 1) > 1e-4)
    }

    /// A token sees nothing of the chunks before but through memory, average and norm: with none of them, chunks don't
    /// know of each other.
    @Test func whatTheOwnChunkIs() {
        let c = SmallModel {
            ($0.memory, $0.window, $0.ema, $0.beta1, $0.beta2) = (false, .chunk, false, 1e-30, 1e-30)
            ($0.ropeHeads, $0.layers) = (0, 2)
        }
        func logits(_ first: [Int32]) -> ArraySlice<Float> {
            let run = c.run(longest: 8)
            run.stage.beginStep()
            return run.forward(.init(run), tokens: first + [4, 7, 2, 9], targets: nil, lossScale: 0).logits
                .suffix(4 * c.configuration.vocabulary)
        }
        let (a, b) = (logits([1, 2, 3, 4]), logits([9, 8, 10, 5]))
        #expect(deviation(doubles(Array(a)), from: doubles(Array(b))) < 1e-6)
    }
}

/// What a Gecko without its parts is made of.
@Suite struct AblationCountTests {
    private func layer(_ c: GeckoConfiguration, aligned: Bool = false) -> (BlockDescription, Set<String>) {
        let layer = c.describe(.layer(0))
        let shape = SliceShape(length: 8, aligned: aligned, workers: 1)
        return (layer, Set(layer.carried(shape).map { $0.name.replacing("layers.0.", with: "") }))
    }

    private static let whole: Set<String> = [
        "mean", "variance", "ema", "keys", "memory_keys", "values", "memory", "lognorm",
    ]

    @Test func parametersAndStateOfThePartsAreGone() {
        let c = SmallModel().configuration
        let (D, Z, N) = (c.dim, c.zDim, c.emaDim)
        func changed(_ change: (inout GeckoConfiguration) -> Void) -> GeckoConfiguration {
            var c = c
            change(&c)
            return c
        }
        func fewer(_ other: GeckoConfiguration) -> Int { (c.parameterCount - other.parameterCount) / c.layers }
        #expect(layer(c).1 == Self.whole)
        let noMemory = changed { $0.memory = false }
        #expect(fewer(noMemory) == 4 * Z)
        #expect(layer(noMemory).1 == Self.whole.subtracting(["memory_keys", "memory", "lognorm"]))
        let noEMA = changed { $0.ema = false }
        #expect(fewer(noEMA) == D * (4 * N + 1))
        #expect(layer(noEMA).1 == Self.whole.subtracting(["ema"]))
        let chunk = changed { $0.window = .chunk }
        #expect(fewer(chunk) == 0 && layer(chunk).1 == Self.whole)
        #expect(
            layer(chunk, aligned: true).1 == Self.whole.subtracting(["keys", "memory_keys", "values"]))
        let cumulative = changed { $0.timestepNorm = .cumulative }
        #expect(fewer(cumulative) == 0 && layer(cumulative).1 == Self.whole)
    }

    @Test func matrixFlopsOfAToken() {
        let c = SmallModel().configuration
        let (Z, E, H, C) = (c.zDim, c.valueDim, c.heads, c.chunk)
        func flops(_ change: (inout GeckoConfiguration) -> Void) -> Double {
            var c = c
            change(&c)
            return c.describe(.layer(0)).forwardFlopsPerToken
        }
        let all = flops { _ in }
        #expect(all - flops { $0.memory = false } == Double(6 * Z * E / H))
        #expect(all - flops { $0.window = .chunk } == Double((Z + E) * 2 * C))
        #expect(all == flops { ($0.ema, $0.timestepNorm) = (false, .cumulative) })
    }

    /// Kinds of work that a model is without are neither counted nor listed with a figure.
    @Test func workOfThePartsIsGone() {
        let team = Team()
        func times(_ change: (inout GeckoConfiguration) -> Void) -> WorkClock {
            let clock = WorkClock(workers: 1, threads: 1)
            team.clock = clock
            clock.enter(.forward)
            _ = SmallModel(change).result([29], team: team)
            clock.enter(nil)
            return clock
        }
        let kind = { (name: String) in GeckoConfiguration.workKinds.first { $0.title == name }!.work }
        let (noMemory, noEMA) = (times { $0.memory = false }, times { $0.ema = false })
        #expect(noMemory.times[kind("memory")] == 0 && noMemory.times[kind("EMA")] > 0)
        #expect(noEMA.times[kind("EMA")] == 0 && noEMA.times[kind("memory")] > 0)
    }

    @Test func aRunDoesNotGoOnWithOtherParts() {
        for name in ["memory", "window", "timestep_norm", "ema"] {
            let key = GeckoConfiguration.keys.first { $0.name == name }
            guard case .anotherRun? = key?.onResume else {
                Issue.record("\(name) must be refused where a run goes on")
                continue
            }
        }
    }
}
