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
}
