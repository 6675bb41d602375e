import Files
import Numerics

/// Byte-level text as one long row of tokens: the files one after the other, the last share of it held out. Tokens are
/// made on demand from the files' bytes; when packed, a bos token stands before each document.
package struct Corpus: Sendable {
    /// A stretch of a file; its tokens begin at `start` in the corpus.
    private struct Piece: Sendable {
        let start: Int
        let file: Int
        let bytes: Range<Int>
    }

    /// As it was given; for messages.
    package let path: String
    package let packed: Bool
    /// Tokens in all.
    package let count: Int
    /// Tokens to train on: the first ones.
    package let train: Range<Int>
    /// Tokens kept for evaluation: the last ones.
    package let heldOut: Range<Int>
    /// The share that was asked for.
    package let heldOutShare: Double
    /// Of the folders that were looked through, what is no text of theirs.
    package let leftOut: String?

    let reader: CorpusReader
    private let pieces: [Piece]

    /// Tokens of a model of this corpus.
    package var vocabulary: Int { ByteVocabulary.size(packed: packed) }
    /// Documents of a packed corpus; without packing, files. Empty ones don't count.
    package var documents: Int { pieces.count }
    /// Bytes of the longest of them.
    package var longestDocument: Int { pieces.reduce(0) { max($0, $1.bytes.count) } }
    /// Files with something in them.
    package var fileCount: Int { reader.files.count }
    /// Bytes of all files.
    package var size: Int { reader.files.reduce(0) { $0 + $1.size } }

    /// - Parameters:
    ///   - heldOut: share of the tokens kept for evaluation, in [0, 1).
    ///   - packed: a bos token goes before each document.
    ///   - separator: text that ends a document within a file when packed, with escapes; it is not part of any
    ///     document.
    ///   - exclusions: what no corpus holds
    /// - Throws: `CorpusError` for what is missing, unreadable or empty, and for a separator that never occurs.
    package static func load(
        path: CorpusPaths, heldOut: Double, packed: Bool, separator: String,
        leavingOut exclusions: CorpusExclusions = .none
    ) throws -> Corpus {
        var listing = try CorpusListing(path, leavingOut: exclusions)
        let found = try listing.files.map { try CorpusFile($0) }
        for file in found where file.size == 0 { listing.leaveOut(.empty, file.path) }
        let reader = CorpusReader(found.filter { $0.size > 0 })
        guard !reader.files.isEmpty else {
            let what = found.count == 1 ? "is empty" : "has \(found.count) files, all empty"
            throw CorpusError("the corpus \(path) \(what): give a text to train on")
        }
        let pieces = try Self.pieces(of: reader, path, packed: packed, separator: separator)
        return try Corpus(
            path: path.description, packed: packed, heldOut: heldOut, leftOut: listing.leftOut.text, reader: reader,
            pieces: pieces)
    }

    private static func pieces(
        of reader: CorpusReader, _ path: CorpusPaths, packed: Bool, separator text: String
    ) throws -> [Piece] {
        let separator: Separator
        do {
            separator = try Separator(packed ? text : "")
        } catch let error as CorpusError {
            throw CorpusError("data.separator \"\(text)\" \(error)")
        }
        var pieces: [Piece] = []
        var count = 0
        var occurs = separator.bytes.isEmpty
        for (index, file) in reader.files.enumerated() {
            let documents =
                separator.bytes.isEmpty ? [0..<file.size] : try reader.documents(of: index, between: separator)
            occurs = occurs || documents.count > 1
            for bytes in documents where !bytes.isEmpty {
                pieces.append(Piece(start: count, file: index, bytes: bytes))
                count += bytes.count + (packed ? 1 : 0)
            }
        }
        guard occurs else {
            throw CorpusError(
                "data.separator \"\(BytePath(bytes: separator.bytes))\" does not occur in \(path): give the text that "
                    + "stands between its "
                    + "documents (\\n is a line's end, \\t a tab, \\\\ a backslash, \\xNN a byte), or leave it out, "
                    + "and each file is a document"
            )
        }
        guard count > 0 else {
            throw CorpusError("the corpus \(path) has nothing but data.separator: give a text to train on")
        }
        return pieces
    }

    private init(
        path: String, packed: Bool, heldOut: Double, leftOut: String?, reader: CorpusReader, pieces: [Piece]
    ) throws {
        self.path = path
        self.packed = packed
        self.leftOut = leftOut
        self.reader = reader
        self.pieces = pieces
        count = pieces.last.map { $0.start + $0.bytes.count + (packed ? 1 : 0) } ?? 0
        heldOutShare = heldOut
        let kept = CorpusNeed.kept(of: count, heldOut: heldOut)
        train = 0..<kept
        self.heldOut = kept..<count
    }

    /// The same text with another share held out.
    package func holdingOut(_ share: Double) throws -> Corpus {
        try Corpus(path: path, packed: packed, heldOut: share, leftOut: leftOut, reader: reader, pieces: pieces)
    }

    /// Files that were looked into and to which something happened that their sizes and times don't show; each change
    /// once.
    package func takeTouched() -> [Int] { reader.takeTouched() }

    /// Copies the tokens from `start` on into `tokens`, as many as it holds.
    /// - Throws: `CorpusError` for a file that can't be read or isn't the same any more
    package func copyTokens(from start: Int, into tokens: UnsafeMutableBufferPointer<Int32>) throws {
        precondition(start >= 0 && start <= count - tokens.count, "tokens beyond the corpus")
        guard !tokens.isEmpty else { return }
        var index = firstPiece(holding: start)
        var filled = 0
        try withUnsafeTemporaryAllocation(byteCount: min(tokens.count, Self.stretch), alignment: 64) { buffer in
            while filled < tokens.count {
                let number = pieces[index].file
                let file = reader.files[number]
                // One look into a file for all that is wanted of it.
                try reader.look(into: number) { open in
                    while filled < tokens.count, index < pieces.count, pieces[index].file == number {
                        let rest = UnsafeMutableBufferPointer(rebasing: tokens[filled...])
                        filled += try copy(pieces[index], start + filled, into: rest, open, file, buffer)
                        index += 1
                    }
                }
            }
        }
    }

    /// Bytes that are read at once.
    private static let stretch = 1 << 16

    /// Tokens of one piece, from token `start` of the corpus to the piece's end or as many as there is room for.
    /// - Returns: how many
    private func copy(
        _ piece: Piece, _ start: Int, into tokens: UnsafeMutableBufferPointer<Int32>, _ open: OpenFile,
        _ file: CorpusFile, _ buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        var skipped = start - piece.start
        var filled = 0
        if packed {
            if skipped == 0 {
                tokens[filled] = ByteVocabulary.bos
                filled += 1
            } else {
                skipped -= 1
            }
        }
        while filled < tokens.count, skipped < piece.bytes.count {
            let count = min(piece.bytes.count - skipped, tokens.count - filled, buffer.count)
            let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            try CorpusReader.fill(bytes, from: open, at: piece.bytes.lowerBound + skipped, of: file)
            for i in 0..<count { tokens[filled + i] = Int32(bytes[i]) }
            filled += count
            skipped += count
        }
        return filled
    }

    /// Fills one window: `inputs` from `start` on, `targets` one token further; a bos target is marked as ignored,
    /// because what follows a document's end is chance.
    func fill(
        from start: Int, inputs: UnsafeMutableBufferPointer<Int32>, targets: UnsafeMutableBufferPointer<Int32>
    ) throws {
        precondition(inputs.count == targets.count && !inputs.isEmpty, "as many targets as inputs")
        try copyTokens(from: start, into: inputs)
        _ = targets.update(fromContentsOf: inputs.dropFirst())
        try copyTokens(from: start + inputs.count, into: .init(rebasing: targets[(targets.count - 1)...]))
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
