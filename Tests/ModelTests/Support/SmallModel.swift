import Hardware
import Model
import Numerics
import TestSupport
import Testing
import Verification

/// A model small enough to run in every combination of options, and one row of tokens for it.
struct SmallModel: Sendable, CustomTestStringConvertible {
    var configuration = GeckoConfiguration()
    var seed = 1
    var length = 29

    init(_ change: (inout GeckoConfiguration) -> Void = { _ in }) {
        configuration.layers = 2
        configuration.dim = 12
        configuration.zDim = 8
        configuration.valueDim = 10
        configuration.ffnDim = 9
        configuration.heads = 2
        configuration.ropeHeads = 1
        configuration.emaDim = 3
        configuration.chunk = 4
        configuration.normGroups = 3
        configuration.vocabulary = 11
        configuration.beta1 = 0.9
        configuration.beta2 = 0.95
        configuration.ropeBase = 100
        change(&configuration)
    }

    var testDescription: String {
        let c = configuration
        let flags = [
            (c.swiglu, "swiglu"), (c.normAffine, "affine"), (c.twoHopResidual, "two-hop"), (c.rescaleNFFN, "rescaled"),
            (c.scaleEmbeddings, "scaled"), (c.tieEmbeddings, "tied"), (c.bosID != nil, "packed"),
        ]
        return flags.filter(\.0).map(\.1).joined(separator: ", ") + ", \(c.ropeHeads) rope heads"
    }

    /// Every combination of options, with the given heads rotated.
    static func combinations(ropeHeads: Int, packed: Bool) -> [SmallModel] {
        (0..<64).map { bits in
            SmallModel { c in
                c.swiglu = bits & 1 != 0
                c.normAffine = bits & 2 != 0
                c.twoHopResidual = bits & 4 != 0
                c.rescaleNFFN = bits & 8 != 0
                c.scaleEmbeddings = bits & 16 != 0
                c.tieEmbeddings = bits & 32 != 0
                c.ropeHeads = ropeHeads
                c.bosID = packed ? 0 : nil
            }
        }
    }

    /// Token 0 begins a document where the model is packed; it comes up about every sixth token.
    var tokens: [Int32] {
        var noise = Noise(seed)
        return (0..<length).map { _ in
            Int32(noise.integer(below: 6) == 0 ? 0 : 1 + noise.integer(below: configuration.vocabulary - 1))
        }
    }

    /// The next token; nothing is predicted across a document's edge, nor after the last token.
    var targets: [Int32] {
        tokens.dropFirst().map { configuration.bosID == Int($0) ? -100 : $0 } + [-100]
    }

    /// Targets that count.
    var counted: Int { targets.filter { $0 >= 0 }.count }

    func run(longest: Int? = nil, team: Team = Team(), dropout: DropoutStream? = nil) -> ModelRun<GeckoConfiguration> {
        self.run(longest: longest, TileProducts(team), dropout: dropout)
    }

    func run(longest: Int? = nil, _ matrices: any MatrixProducts, dropout: DropoutStream? = nil) -> ModelRun<
        GeckoConfiguration
    > {
        let run = ModelRun(configuration, longest: longest ?? length, matrices, dropout: dropout)
        fill(run.stage.store)
        return run
    }

    /// Every parameter random, those that start at 0 too; a tied matrix and its copy alike.
    func fill(_ store: ParameterStore) {
        for entry in store.entries {
            let name = entry.spec.copyOf ?? entry.spec.name
            var noise = Noise(name.utf8.reduce(seed) { ($0 &* 31 &+ Int($1)) & 0xffff_ffff })
            (store.values.base + entry.offset).update(from: noise.floats(entry.count, scale: 0.5), count: entry.count)
        }
    }
}

/// What a model makes of one row.
struct ModelResult {
    var loss = 0.0
    var logits: [Float] = []
    var gradients: [String: [Float]] = [:]
    /// The carried state after the row, by name.
    var state: [String: [Float]] = [:]
}

extension SmallModel {
    /// Forward and backward in slices that end at `ends`, and the logits of a forward without gradients.
    func result(_ ends: [Int], team: Team = Team(), dropout: DropoutStream? = nil) -> ModelResult {
        result(ends, TileProducts(team), dropout: dropout)
    }

    func result(_ ends: [Int], _ matrices: any MatrixProducts, dropout: DropoutStream? = nil) -> ModelResult {
        let lengths = zip(ends, [0] + ends).map { $0 - $1 }
        let run = run(longest: lengths.max() ?? 0, matrices, dropout: dropout)
        let (tokens, targets) = (tokens, targets)
        let scale = Float(1 / Double(counted))
        var result = ModelResult()
        run.stage.beginStep()
        for lossScale in [0, scale] {
            let stream = ModelRun<GeckoConfiguration>.Stream(run)
            result.loss = 0
            for (start, end) in zip([0] + ends, ends) {
                let slice = run.forward(
                    stream, tokens: Array(tokens[start..<end]), targets: Array(targets[start..<end]),
                    lossScale: lossScale)
                result.logits += slice.logits
                result.loss += slice.loss / Double(counted)
            }
            if lossScale == 0 { run.forget() }
            result.state = Dictionary(
                uniqueKeysWithValues: run.named(stream.state, at: length).map { ($0.name, $0.values) })
        }
        run.backward(tokens: tokens, targets: targets, lossScale: scale) { _, _ in }
        run.stage.endStep()
        for entry in run.stage.store.entries {
            result.gradients[entry.spec.name] = run.stage.store.gradientValues(entry.spec.name)
        }
        return result
    }

    /// The loss alone, with changed parameters.
    func loss(dropout: DropoutStream? = nil, _ change: (ParameterStore) -> Void) -> Double {
        let run = run(dropout: dropout)
        change(run.stage.store)
        run.stage.beginStep(trains: false)
        return run.forward(ModelRun<GeckoConfiguration>.Stream(run), tokens: tokens, targets: targets, lossScale: 0)
            .loss / Double(counted)
    }
}
