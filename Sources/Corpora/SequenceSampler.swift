/// Which tokens every sequence of every step reads. A pure function of (step, place in the batch), so any layout of
/// stages and replicas reads the same.
///
/// - Shuffled: the training tokens are cut in windows of `sequence` tokens (one more is read as the last target). Each
///   epoch goes through all windows once, in an order of its own; sequence `i` of step `s` takes the place
///   `s * batch + i` in the row of epochs.
/// - Streams: the training tokens are cut in `batch` regions; sequence `i` reads region `i` window after window, and
///   begins again, with `restarts` set, at its end.
package struct SequenceSampler: Sendable {
    package struct Window: Sendable, Equatable {
        /// First token of the inputs, in the corpus.
        package let start: Int
        /// The carried state must be reset before this window: it does not continue the one before.
        package let restarts: Bool
    }

    package let corpus: Corpus
    /// Tokens per sequence.
    package let sequence: Int
    /// Sequences per step.
    package let batch: Int
    package let streams: Bool
    /// Sequences until all training text is read once: over the whole batch, or with streams of each region.
    package let windowsPerEpoch: Int
    /// Training tokens at the end (with streams: of all regions) that are too few for a window and never read.
    package let unusedTokens: Int
    private let seed: UInt64
    private let regionTokens: Int

    /// - Throws: `CorpusError` if the training text is too short for one sequence (with streams, one a region).
    package init(corpus: Corpus, sequence: Int, batch: Int, seed: UInt64, streams: Bool) throws {
        precondition(sequence > 0 && batch > 0)
        let tokens = corpus.train.count
        let regions = streams ? batch : 1
        regionTokens = tokens / regions
        windowsPerEpoch = max(0, regionTokens - 1) / sequence
        guard windowsPerEpoch > 0 else {
            throw Self.tooShort(corpus, sequence: sequence, regions: regions)
        }
        unusedTokens = tokens - regions * (windowsPerEpoch * sequence + 1)
        self.corpus = corpus
        self.sequence = sequence
        self.batch = batch
        self.seed = seed
        self.streams = streams
    }

    /// The window of sequence `index` of the batch at `step`; both count from 0.
    package func window(step: Int, index: Int) -> Window {
        precondition(step >= 0 && 0 <= index && index < batch)
        if streams {
            let place = step % windowsPerEpoch
            return Window(
                start: corpus.train.lowerBound + index * regionTokens + place * sequence, restarts: place == 0)
        }
        let place = step * batch + index
        let order = WindowPermutation(count: windowsPerEpoch, seed: seed, epoch: place / windowsPerEpoch)
        return Window(start: corpus.train.lowerBound + order[place % windowsPerEpoch] * sequence, restarts: true)
    }

    /// Fills the inputs and targets of one sequence, `sequence` tokens each, and says whether it restarts.
    @discardableResult
    package func fill(
        step: Int, index: Int, inputs: UnsafeMutableBufferPointer<Int32>, targets: UnsafeMutableBufferPointer<Int32>
    ) throws -> Bool {
        precondition(inputs.count == sequence && targets.count == sequence)
        let window = window(step: step, index: index)
        try corpus.fill(from: window.start, inputs: inputs, targets: targets)
        return window.restarts
    }

    private static func tooShort(_ corpus: Corpus, sequence: Int, regions: Int) -> CorpusError {
        let need = CorpusNeed(sequence: sequence, regions: regions)
        let each = regions == 1 ? "one sequence of \(sequence) tokens" : "\(regions) streams of \(sequence) tokens"
        return CorpusError(
            "the corpus \(corpus.path) is too short: \(corpus.count) tokens, of which \(corpus.train.count) to train "
                + "on, but \(each) (and the next token) needs \(need.train): \(need.shortage(corpus))",
            longestSequence: need.longestSequence(corpus))
    }
}
