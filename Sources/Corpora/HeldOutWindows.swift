/// The held-out text cut in windows, in order, for evaluation.
package struct HeldOutWindows: Sendable {
    package let corpus: Corpus
    /// Tokens per window.
    package let sequence: Int
    /// Windows to evaluate.
    package let count: Int

    /// - Parameters:
    ///   - limit: take only so many windows, from the beginning; 0 = all.
    ///   - regions: parts of the training text that each must hold a sequence; for the message of one that is too short
    /// - Throws: `CorpusError` if held-out text is wanted and is too short for one window. None wanted gives none.
    package init(corpus: Corpus, sequence: Int, limit: Int, regions: Int = 1) throws {
        precondition(sequence > 0 && limit >= 0)
        let windows = max(0, corpus.heldOut.count - 1) / sequence
        guard windows > 0 || corpus.heldOutShare == 0 else {
            let need = CorpusNeed(sequence: sequence, regions: regions)
            throw CorpusError(
                "the held-out text of \(corpus.path) is too short: \(corpus.heldOut.count) of \(corpus.count) tokens, "
                    + "but one sequence of \(sequence) tokens (and the next token) needs \(need.heldOut): "
                    + need.shortage(corpus),
                longestSequence: need.longestSequence(corpus))
        }
        self.corpus = corpus
        self.sequence = sequence
        count = limit == 0 ? windows : min(limit, windows)
    }

    /// Fills the inputs and targets of window `index`, `sequence` tokens each.
    package func fill(
        _ index: Int, inputs: UnsafeMutableBufferPointer<Int32>, targets: UnsafeMutableBufferPointer<Int32>
    ) throws {
        precondition(0 <= index && index < count && inputs.count == sequence && targets.count == sequence)
        try corpus.fill(from: corpus.heldOut.lowerBound + index * sequence, inputs: inputs, targets: targets)
    }
}
