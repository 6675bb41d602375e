import Corpora

/// What to change in a configuration whose text is too short for it. Each change was tried: a run can begin with it.
struct SequenceAdvice {
    private let configuration: RunConfiguration
    private let corpus: Corpus
    /// As far as the text's length goes.
    private let longest: Int

    /// More would only say the same again, and schedules that are searched take their time.
    private static let mostTries = 4

    init(_ configuration: RunConfiguration, _ corpus: Corpus, longest: Int) {
        self.configuration = configuration
        self.corpus = corpus
        self.longest = longest
    }

    /// ", set data.sequence to 16, or ..."; nothing where only more text helps.
    var text: String {
        let ways = [shorterSequence, otherShare, noHeldOut].compactMap { $0 }
        return ways.map { ", or set \($0)" }.joined()
    }

    private var shorterSequence: String? {
        let data = configuration.data
        let chunk = configuration.model.sliceMultiple
        let isSliceGiven = configuration.origins["pipeline.slice"] != nil && configuration.pipeline.slice > 0
        let slice = configuration.pipeline.slice
        func nextTries(_ step: Int) -> [Int] {
            let first = min(longest, data.sequence - 1) / step * step
            return Array(stride(from: first, to: 0, by: -step).prefix(Self.mostTries))
        }
        if isSliceGiven, slice % chunk == 0,
            let length = nextTries(slice).first(where: { works(sequence: $0, slice: slice) })
        {
            return "data.sequence to \(length)"
        }
        guard let length = nextTries(chunk).first(where: { works(sequence: $0, slice: 0) }) else { return nil }
        return "data.sequence to \(length)" + (isSliceGiven ? " and pipeline.slice to 0" : "")
    }

    /// Where the two parts of the text could be divided better.
    private var otherShare: String? {
        guard corpus.heldOutShare > 0 else { return nil }
        return [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5].first { works(heldOut: $0) }.map { "data.held_out to \($0)" }
    }

    private var noHeldOut: String? {
        corpus.heldOutShare > 0 && works(heldOut: 0) ? "data.held_out to 0 for no evaluation" : nil
    }

    private func works(sequence: Int, slice: Int) -> Bool {
        var changed = configuration
        changed.data.sequence = sequence
        changed.pipeline.slice = slice
        return works(changed, corpus)
    }

    private func works(heldOut: Double) -> Bool {
        var changed = configuration
        changed.data.heldOut = heldOut
        guard let corpus = try? corpus.holdingOut(heldOut) else { return false }
        return works(changed, corpus)
    }

    private func works(_ changed: RunConfiguration, _ corpus: Corpus) -> Bool {
        guard let resolved = try? changed.validated(world: nil) else { return false }
        return (try? TrainingPlan(resolved, corpus: corpus)) != nil
    }
}
