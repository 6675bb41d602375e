import Hardware
import Model
import Numerics
import TestSupport

/// A model small enough to run in every combination of options, and one row of tokens for it.
protocol RunnableModel: Sendable {
    associatedtype Model: GoldenArchitecture

    var configuration: Model { get }
    /// Tokens of the row.
    var length: Int { get }
    var seed: Int { get }
    /// What a parameter is set to, of random numbers.
    func values(_ random: [Float], of parameter: String) -> [Float]
}

extension RunnableModel {
    var seed: Int { 1 }
    func values(_ random: [Float], of parameter: String) -> [Float] { random }

    /// Token 0 begins a document where the model is packed; it comes up about every sixth token.
    var tokens: [Int32] {
        var noise = Noise(seed)
        return (0..<length).map { _ in
            Int32(noise.integer(below: 6) == 0 ? 0 : 1 + noise.integer(below: configuration.vocabulary - 1))
        }
    }

    /// The next token; nothing is predicted across a document's edge, nor after the last token.
    var targets: [Int32] {
        tokens.dropFirst().map { $0 == configuration.documentMark ? -100 : $0 } + [-100]
    }

    /// Targets that count.
    var counted: Int { targets.filter { $0 >= 0 }.count }

    func run(longest: Int? = nil, team: Team = Team(), dropout: DropoutStream? = nil) -> ModelRun<Model> {
        self.run(longest: longest, TileProducts(team), dropout: dropout)
    }

    func run(longest: Int? = nil, _ matrices: any MatrixProducts, dropout: DropoutStream? = nil) -> ModelRun<Model> {
        let run = ModelRun(configuration, longest: longest ?? length, sequence: length, matrices, dropout: dropout)
        fill(run.stage.store)
        return run
    }

    /// Every parameter random, those that start at 0 too; a tied matrix and its copy alike.
    func fill(_ store: ParameterStore) {
        for entry in store.entries {
            let name = entry.spec.copyOf ?? entry.spec.name
            var noise = Noise(name.utf8.reduce(seed) { ($0 &* 31 &+ Int($1)) & 0xffff_ffff })
            let values = values(noise.floats(entry.count, scale: 0.5), of: name)
            (store.values.base + entry.offset).update(from: values, count: entry.count)
        }
    }

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
            let stream = ModelRun<Model>.Stream(run)
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
        return run.forward(ModelRun<Model>.Stream(run), tokens: tokens, targets: targets, lossScale: 0)
            .loss / Double(counted)
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
