/// What tells the uses of one seed apart. These numbers are part of every run's bits: none may change.
package enum RandomStream {
    /// Continuing a text: word p chooses the token at position p.
    package static let generation: UInt64 = 0x5a
    /// The tokens of a benchmark, which has no text.
    package static let benchmarkTokens: UInt64 = 0xbe2c
    /// The orders in which windows of the corpus are read: a stream an epoch, from this one on.
    package static let corpusWindows: UInt64 = 0x5749_4E44_4F57 << 16

    /// Dropout numbers its streams by step, as others might: the seed itself is another one there.
    package static func dropoutSeed(_ seed: UInt64) -> UInt64 { seed ^ 0xd1b5_4a32_d192_ed03 }
}
