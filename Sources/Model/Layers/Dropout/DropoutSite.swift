/// The places of a Gecko at which dropout draws, by the numbers that tell their streams apart within a layer. These
/// numbers are part of every run's bits: none may change.
enum DropoutSite {
    static let attentionInput = 0
    static let attentionMix = 1
    static let attentionOutput = 2
    static let feedForwardHidden = 3
    static let feedForwardOutput = 4
    static let embeddingOutput = 5

    /// The weights of a head, which are the last sites: a layer may have any number of heads.
    static func attentionWeights(head: Int) -> Int { 16 + head }

    /// The embedding is in no layer: a number that none has.
    static let embeddingLayer = 0xffff
}
