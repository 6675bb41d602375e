import Corpora
import Files

/// Tells one text from another without reading all of it: the number of tokens, and a digest of stretches spread over
/// it. Ranks compare it among each other at a start. Checkpoints of older versions name their text by it.
struct CorpusFingerprint {
    let text: String

    private static let stretches = 64
    private static let length = 1024
    private static let mark = ", sha256 of samples "

    init(_ corpus: Corpus) throws {
        let length = min(Self.length, corpus.count)
        var digest = ParameterDigest()
        var tokens = [Int32](repeating: 0, count: length)
        for i in 0..<Self.stretches {
            let start = (corpus.count - length) * i / max(1, Self.stretches - 1)
            try tokens.withUnsafeMutableBufferPointer { try corpus.copyTokens(from: start, into: $0) }
            tokens.withUnsafeBytes { digest.update($0) }
        }
        text = "\(corpus.count) tokens\(Self.mark)\(digest.hex())"
    }

    /// Whether what a manifest says of its text is such a fingerprint.
    static func isOne(_ text: String) -> Bool { text.contains(mark) }
}
