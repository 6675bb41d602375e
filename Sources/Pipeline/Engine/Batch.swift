/// One replica's tokens for a step: `sequences` rows of `length` tokens, with a target for each (negative: ignored).
package struct Batch: Sendable {
    package let tokens: [Int32]
    package let targets: [Int32]
    package let length: Int
    /// Targets that count, over all replicas.
    package let countedTargets: Int
    /// Global numbers of the rows, which name their dropout masks.
    package let sequenceNumbers: [Int]
    /// In streams mode, the rows whose stream starts anew.
    package let restarts: [Bool]

    package init(
        tokens: [Int32], targets: [Int32], length: Int, countedTargets: Int, sequenceNumbers: [Int],
        restarts: [Bool]
    ) {
        self.tokens = tokens
        self.targets = targets
        self.length = length
        self.countedTargets = countedTargets
        self.sequenceNumbers = sequenceNumbers
        self.restarts = restarts
    }

    package var sequences: Int { sequenceNumbers.count }

    /// Some of its sequences.
    package func rows(_ range: Range<Int>) -> Batch {
        let span = range.lowerBound * length..<range.upperBound * length
        return Batch(
            tokens: Array(tokens[span]), targets: Array(targets[span]), length: length, countedTargets: countedTargets,
            sequenceNumbers: Array(sequenceNumbers[range]), restarts: Array(restarts[range]))
    }
}
