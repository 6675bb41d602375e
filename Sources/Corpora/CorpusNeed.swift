/// How long a text must be for sequences of a length.
package struct CorpusNeed: Sendable {
    /// Tokens of a sequence.
    let sequence: Int
    /// Parts of the training text that each must hold one.
    let regions: Int

    package init(sequence: Int, regions: Int) {
        self.sequence = sequence
        self.regions = regions
    }

    /// No text has so many tokens, and a number has room for more.
    private static let unheardOf = 1 << 60

    /// Tokens to train on; with the one after a region's last.
    var train: Int { regions * (sequence + 1) }
    /// Tokens to hold out, if any are.
    var heldOut: Int { sequence + 1 }

    /// Of so many tokens, those to train on.
    static func kept(of count: Int, heldOut: Double) -> Int { count - Int((Double(count) * heldOut).rounded()) }

    /// The fewest tokens that are enough; with more it stays so.
    func tokens(heldOut share: Double) -> Int {
        func isEnough(_ count: Int) -> Bool {
            let kept = Self.kept(of: count, heldOut: share)
            return kept >= train && (share == 0 || count - kept >= heldOut)
        }
        var high = train
        while high < Self.unheardOf, !isEnough(high) { high *= 2 }
        var low = 0
        while high - low > 1 {
            let middle = (low + high) / 2
            if isEnough(middle) { high = middle } else { low = middle }
        }
        return high
    }

    /// The longest sequence that a text has room for, as it is divided; 0 for none.
    func longestSequence(_ corpus: Corpus) -> Int {
        let train = corpus.train.count / regions
        return max(0, min(train, corpus.heldOutShare == 0 ? train : corpus.heldOut.count) - 1)
    }

    /// What a text that is too short lacks.
    func shortage(_ corpus: Corpus) -> String {
        let needed = tokens(heldOut: corpus.heldOutShare)
        return "give at least \(needed) bytes of text, \(needed - corpus.count) more"
    }
}
