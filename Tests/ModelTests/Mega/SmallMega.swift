import Hardware
import Model
import Numerics
import TestSupport

/// A Mega small enough to run in every combination of options, and one row of tokens for it.
struct SmallMega: Sendable {
    var configuration = MegaConfiguration()
    let length: Int

    init(length: Int = 29, _ change: (inout MegaConfiguration) -> Void = { _ in }) {
        self.length = length
        configuration.layers = 2
        configuration.dim = 12
        configuration.zDim = 8
        configuration.valueDim = 10
        configuration.ffnDim = 9
        configuration.emaDim = 3
        configuration.chunk = 4
        configuration.vocabulary = 11
        change(&configuration)
        if configuration.maxPositions == 0 {
            configuration.maxPositions = configuration.chunk == 0 ? 256 : configuration.chunk
        }
    }

    /// Every combination of options.
    static func combinations(packed: Bool) -> [SmallMega] {
        let forms = MegaConfiguration.Attention.allCases.flatMap { attention in
            MegaConfiguration.PositionBiasKind.allCases.flatMap { bias in [0, 4].map { (attention, bias, $0) } }
        }
        return forms.enumerated().map { i, form in
            SmallMega { c in
                (c.attention, c.positionBias, c.chunk) = form
                c.scaleEmbeddings = i % 2 == 0
                c.tieEmbeddings = i / 2 % 2 == 0
                c.finalNormAffine = i % 3 == 0
                c.bosID = packed ? 0 : nil
            }
        }
    }

    /// Token 0 begins a document where the model is packed; it comes up about every sixth token.
    var tokens: [Int32] {
        var noise = Noise(1)
        return (0..<length).map { _ in
            Int32(noise.integer(below: 6) == 0 ? 0 : 1 + noise.integer(below: configuration.vocabulary - 1))
        }
    }

    /// The next token; nothing is predicted across a document's edge, nor after the last token.
    var targets: [Int32] {
        tokens.dropFirst().map { configuration.bosID == Int($0) ? -100 : $0 } + [-100]
    }

    private var counted: Double { Double(targets.filter { $0 >= 0 }.count) }

    func run(longest: Int, team: Team = Team()) -> ModelRun<MegaConfiguration> {
        let run = ModelRun(configuration, longest: longest, sequence: length, TileProducts(team))
        // Every parameter random, those that start at 0 too; a tied matrix and its copy alike.
        for entry in run.stage.store.entries {
            let name = entry.spec.copyOf ?? entry.spec.name
            var noise = Noise(name.utf8.reduce(1) { ($0 &* 31 &+ Int($1)) & 0xffff_ffff })
            // A squared ReLU of negative scores only would see nothing.
            let values = noise.floats(entry.count, scale: 0.5).map { name.contains("rel_pos_bias") ? abs($0) : $0 }
            (run.stage.store.values.base + entry.offset).update(from: values, count: entry.count)
        }
        return run
    }

    /// Forward and backward in slices that end at `ends`, and the logits of a forward without gradients.
    func result(_ ends: [Int], team: Team = Team()) -> ModelResult {
        let run = run(longest: zip(ends, [0] + ends).map { $0 - $1 }.max() ?? 0, team: team)
        let (tokens, targets) = (tokens, targets)
        let scale = Float(1 / counted)
        var result = ModelResult()
        run.stage.beginStep()
        for lossScale in [0, scale] {
            let stream = ModelRun<MegaConfiguration>.Stream(run)
            result.loss = 0
            for (start, end) in zip([0] + ends, ends) {
                let slice = run.forward(
                    stream, tokens: Array(tokens[start..<end]), targets: Array(targets[start..<end]),
                    lossScale: lossScale)
                result.logits += slice.logits
                result.loss += slice.loss / counted
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
    func loss(_ change: (ParameterStore) -> Void) -> Double {
        let run = run(longest: length)
        change(run.stage.store)
        run.stage.beginStep(trains: false)
        return run.forward(.init(run), tokens: tokens, targets: targets, lossScale: 0).loss / counted
    }
}
