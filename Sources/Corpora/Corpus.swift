import Foundation

/// Byte-level text as one long row of tokens: the files one after the other, the last share of it held out. Tokens are
/// made on demand from the files' bytes; when packed, a bos token stands before each document.
package struct Corpus: Sendable {
    /// A stretch of a file; its tokens begin at `start` in the corpus.
    private struct Piece: Sendable {
        let start: Int
        let file: Int
        let bytes: Range<Int>
    }

    package let path: String
    package let packed: Bool
    /// Tokens in all.
    package let count: Int
    /// Tokens to train on: the first ones.
    package let train: Range<Int>
    /// Tokens kept for evaluation: the last ones.
    package let heldOut: Range<Int>
    /// The share that was asked for.
    let heldOutShare: Double
    /// Documents of a packed corpus; without packing, files.
    package let documents: Int

    private let files: [CorpusFile]
    private let pieces: [Piece]

    /// Tokens of a model of this corpus.
    package var vocabulary: Int { ByteVocabulary.size(packed: packed) }

    /// - Parameters:
    ///   - path: a file, a folder, or several separated by commas.
    ///   - heldOut: share of the tokens kept for evaluation, in [0, 1).
    ///   - packed: a bos token goes before each document.
    ///   - separator: text that ends a document within a file when packed; it is not part of any document.
    /// - Throws: `CorpusError` for what is missing, unreadable or empty.
    package static func load(path: String, heldOut: Double, packed: Bool, separator: String) throws -> Corpus {
        let files = try CorpusFile.list(path).map(CorpusFile.init)
        var pieces: [Piece] = []
        var count = 0
        for (index, file) in files.enumerated() {
            let documents =
                packed && !separator.isEmpty
                ? file.bytes.pieces(between: Array(separator.utf8)) : [0..<file.bytes.count]
            for bytes in documents where !bytes.isEmpty {
                pieces.append(Piece(start: count, file: index, bytes: bytes))
                count += bytes.count + (packed ? 1 : 0)
            }
        }
        guard count > 0 else {
            let what = files.count == 1 ? "is empty" : "has \(files.count) files, all empty"
            throw CorpusError("the corpus \(path) \(what): give a text to train on")
        }
        let kept = count - Int((Double(count) * heldOut).rounded())
        return Corpus(
            path: path, packed: packed, count: count, train: 0..<kept, heldOut: kept..<count, heldOutShare: heldOut,
            documents: pieces.count, files: files, pieces: pieces)
    }

    /// Copies the tokens from `start` on into `tokens`, as many as it holds.
    package func copyTokens(from start: Int, into tokens: UnsafeMutableBufferPointer<Int32>) {
        precondition(start >= 0 && start <= count - tokens.count, "tokens beyond the corpus")
        var index = firstPiece(holding: start)
        var filled = 0
        while filled < tokens.count {
            let piece = pieces[index]
            var skipped = start + filled - piece.start
            if packed {
                if skipped == 0 {
                    tokens[filled] = ByteVocabulary.bos
                    filled += 1
                } else {
                    skipped -= 1
                }
            }
            let length = min(piece.bytes.count - skipped, tokens.count - filled)
            files[piece.file].bytes.withUnsafeBytes { bytes in
                let source = UnsafeRawBufferPointer(rebasing: bytes[(piece.bytes.lowerBound + skipped)...])
                for i in 0..<length { tokens[filled + i] = Int32(source[i]) }
            }
            filled += length
            index += 1
        }
    }

    /// Fills one window: `inputs` from `start` on, `targets` one token further; a bos target is marked as ignored,
    /// because what follows a document's end is chance.
    func fill(
        from start: Int, inputs: UnsafeMutableBufferPointer<Int32>, targets: UnsafeMutableBufferPointer<Int32>
    ) {
        precondition(inputs.count == targets.count, "as many targets as inputs")
        copyTokens(from: start, into: inputs)
        copyTokens(from: start + 1, into: targets)
        if packed {
            for i in targets.indices where targets[i] == ByteVocabulary.bos {
                targets[i] = ByteVocabulary.ignoredTarget
            }
        }
    }

    /// The last piece that begins at or before token `token`.
    private func firstPiece(holding token: Int) -> Int {
        var low = 0
        var high = pieces.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if pieces[middle].start <= token { low = middle } else { high = middle }
        }
        return low
    }
}

extension Data {
    /// The stretches between occurrences of `separator`, found from the left.
    fileprivate func pieces(between separator: [UInt8]) -> [Range<Int>] {
        withUnsafeBytes { bytes in
            var pieces: [Range<Int>] = []
            var start = 0
            var position = 0
            while let base = bytes.baseAddress, position + separator.count <= bytes.count {
                let remaining = bytes.count - position - separator.count + 1
                guard let hit = memchr(base + position, Int32(separator[0]), remaining) else { break }
                position = UnsafeRawPointer(hit) - base
                if memcmp(hit, separator, separator.count) == 0 {
                    pieces.append(start..<position)
                    position += separator.count
                    start = position
                } else {
                    position += 1
                }
            }
            return pieces + [start..<bytes.count]
        }
    }
}
