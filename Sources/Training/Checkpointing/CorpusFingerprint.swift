import Checkpoints
import Corpora
import Files

/// Tells one text from another without reading all of it: the number of tokens, and a digest of stretches spread over it.
struct CorpusFingerprint {
    let text: String

    private static let stretches = 64
    private static let length = 1024

    init(_ corpus: Corpus) {
        let length = min(Self.length, corpus.count)
        var digest = ParameterDigest()
        var tokens = [Int32](repeating: 0, count: length)
        for i in 0..<Self.stretches {
            let start = (corpus.count - length) * i / max(1, Self.stretches - 1)
            tokens.withUnsafeMutableBufferPointer { corpus.copyTokens(from: start, into: $0) }
            tokens.withUnsafeBytes { digest.update($0) }
        }
        text = "\(corpus.count) tokens, sha256 of samples \(digest.hex())"
    }
}
