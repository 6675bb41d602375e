import Files

/// What a text was: its files in the order in which they are read, each with its size and digest. Names don't count: a
/// text stays the same under other ones.
package struct CorpusRecord: Sendable, Equatable {
    struct File: Sendable, Equatable {
        let path: BytePath
        let size: Int
        /// 64 hexadecimal digits; nil where only the size is known yet.
        var sha256: String?
    }

    package let tokens: Int
    let files: [File]

    init(tokens: Int, files: [File]) {
        self.tokens = tokens
        self.files = files
    }

    /// What can be known of a text without reading it.
    package init(sizesOf corpus: Corpus) {
        self.init(
            tokens: corpus.count,
            files: corpus.reader.files.map { File(path: $0.path, size: $0.size, sha256: nil) })
    }

    /// Reads all of a text.
    /// - Parameter goesOn: asked now and then
    /// - Returns: nil when it shall not go on
    /// - Throws: `CorpusError` for a file that can't be read or isn't the same any more
    package init?(reading corpus: Corpus, while goesOn: () -> Bool = { true }) throws {
        var files = CorpusRecord(sizesOf: corpus).files
        for index in files.indices {
            guard let sha256 = try Self.sha256(of: index, in: corpus, while: goesOn) else { return nil }
            files[index].sha256 = sha256
        }
        self.init(tokens: corpus.count, files: files)
    }

    private static func sha256(of index: Int, in corpus: Corpus, while goesOn: () -> Bool) throws -> String? {
        struct Stopped: Error {}
        var digest = ParameterDigest()
        do {
            try corpus.reader.readAll(index) { _, bytes in
                guard goesOn() else { throw Stopped() }
                digest.update(bytes)
            }
        } catch is Stopped {
            return nil
        }
        return digest.hex()
    }

    /// Reads files again to which something happened that their sizes and times don't show.
    /// - Parameter files: from `Corpus.takeTouched`
    /// - Throws: `CorpusError` for one whose bytes are others
    package func compare(_ files: [Int], of corpus: Corpus, while goesOn: () -> Bool = { true }) throws {
        for index in files {
            guard let sha256 = try Self.sha256(of: index, in: corpus, while: goesOn) else { return }
            guard sha256 == self.files[index].sha256 else {
                throw CorpusError.changed(
                    self.files[index].path, "it has as many bytes as before and the same time, but its bytes are others"
                )
            }
        }
    }

    /// The text in a few words, the same for the same text: "4404412 tokens, sha256 0f..."; without the digest while
    /// that isn't known.
    package var name: String {
        var digest = ParameterDigest()
        for file in files {
            guard let sha256 = file.sha256 else { return Self.name(tokens: tokens) }
            Array("\(file.size) \(sha256)\n".utf8).withUnsafeBytes { digest.update($0) }
        }
        return "\(Self.name(tokens: tokens)), sha256 \(digest.hex())"
    }

    private static func name(tokens: Int) -> String { "\(tokens) tokens" }

    /// How many tokens a name tells.
    package static func tokens(named name: String) -> Int? { Int(name.prefix { $0.isNumber }) }

    /// Whether a name has the digest.
    package static func namesDigest(_ name: String) -> Bool { name.contains(", sha256 ") && !name.contains("samples") }
}

extension CorpusRecord {
    /// The record as a file that `sha256sum --check` reads, too.
    package var bytes: [UInt8] {
        let head =
            """
            # The text of this run, \(Self.name(tokens: tokens)): sha256sum --check says whether it is still the \
            same.\n
            """
        var bytes = Array(head.utf8)
        for file in files {
            let isEscaped = file.path.bytes.contains { Self.escape($0) != nil }
            bytes += Array("# \(file.size) bytes\n\(isEscaped ? "\\" : "")\(file.sha256 ?? "")  ".utf8)
            for byte in file.path.bytes { bytes += Self.escape(byte).map { Array($0.utf8) } ?? [byte] }
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }

    private static func escape(_ byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "\\"): "\\\\"
        case UInt8(ascii: "\n"): "\\n"
        case UInt8(ascii: "\r"): "\\r"
        default: nil
        }
    }

    /// Reads such a file; nil for any other. Its tokens are not told.
    package init?(_ bytes: [UInt8]) {
        var files: [File] = []
        var size: Int?
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: "# ".utf8) {
                let words = String(decoding: line, as: UTF8.self).split(separator: " ")
                size = words.count == 3 && words[2] == "bytes" ? Int(words[1]) : nil
                continue
            }
            let isEscaped = line.first == UInt8(ascii: "\\")
            let fields = line.dropFirst(isEscaped ? 1 : 0)
            let sha256 = String(decoding: fields.prefix(64), as: UTF8.self)
            guard let known = size, fields.count > 66, sha256.allSatisfy(\.isHexDigit) else { return nil }
            let path = Array(fields.dropFirst(66))
            files.append(
                File(path: BytePath(bytes: isEscaped ? Self.unescaped(path) : path), size: known, sha256: sha256))
            size = nil
        }
        guard !files.isEmpty else { return nil }
        self.init(tokens: 0, files: files)
    }

    private static func unescaped(_ bytes: [UInt8]) -> [UInt8] {
        var rest = bytes[...]
        var out: [UInt8] = []
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let next = rest.popFirst() else {
                out.append(byte)
                continue
            }
            out.append(next == UInt8(ascii: "n") ? 10 : next == UInt8(ascii: "r") ? 13 : next)
        }
        return out
    }
}
