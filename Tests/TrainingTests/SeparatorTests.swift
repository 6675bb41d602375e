import Corpora
import Foundation
import Testing
import Training

/// Documents within a file.
@Suite struct SeparatorTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func load(_ text: String, _ separator: String) throws -> Corpus {
        let path = try folder.write(UUID().uuidString, text.utf8)
        return try Corpus.load(path: .text(path), heldOut: 0, packed: true, separator: separator)
    }

    @Test func `escapes stand for bytes`() throws {
        let cases: [(String, [UInt8])] = [
            ("\\n\\n", [10, 10]), ("\n\n", [10, 10]), ("\\t|\\r", [9, 124, 13]), ("\\\\n", [92, 110]),
            ("\\x00\\xff", [0, 255]),
            ("\\x0A", [10]), ("é", [0xC3, 0xA9]), ("", []),
        ]
        for (text, bytes) in cases { #expect(try Separator(text).bytes == bytes, "\(text)") }
        for text in ["\\", "a\\", "\\q", "\\x1", "\\x+1", "\\xzz"] {
            let error = #expect(throws: CorpusError.self) { try Separator(text) }
            #expect(error?.description.contains("\\\\") == true)
        }
    }

    @Test func `there is one way of writing each, which reads back`() throws {
        for text in ["\\n\\n", "<|end|>\n", "\\\\", "\\x00\\x1f\\x7f", "\\xff\\xc3\\xa9", "\\xc3", "é\t\r"] {
            let separator = try Separator(text)
            #expect(try Separator(separator.text) == separator, "\(text)")
            #expect(!separator.text.utf8.contains(0), "\(text)")
        }
        #expect(try Separator("\\n").text == Separator("\n").text)
        #expect(try Separator("\\xc3\\xa9").text == "é")
    }

    @Test func `a run is the same however its separator was typed`() throws {
        func separator(_ text: String) throws -> String {
            try RunConfiguration.load(
                file: nil, overrides: ["--data.path", "x", "--data.packed", "true", "--data.separator", text]
            ).validated(world: nil).data.separator
        }
        #expect(try separator("\\n\\n") == "\n\n")
        #expect(try separator("\n\n") == "\n\n")
        #expect(try separator("\\x00") == "\\x00")
        let error = #expect(throws: ConfigurationError.self) { try separator("\\section") }
        #expect(error?.description.contains("data.separator") == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("\\s, which is no escape") == true, "\(error?.description ?? "")")
    }

    @Test func `none at either end, and no empty documents`() throws {
        let corpus = try load("\n\n\n\na\n\n\n\n\nb\n\n", "\\n\\n")
        #expect(corpus.documents == 2 && corpus.longestDocument == 2)
        // From the left: the odd line break belongs to the second.
        #expect(corpus.count == 5)
    }

    @Test func `one that never occurs is refused`() throws {
        for text in ["one document", "a|nosuc|b"] {
            let error = #expect(throws: CorpusError.self) { try load(text, "|nosuch|") }
            #expect(error?.description.contains("data.separator \"|nosuch|\" does not occur in") == true)
        }
        let error = #expect(throws: CorpusError.self) { try load("a b", "\\n\\n") }
        #expect(error?.description.contains("data.separator \"\\n\\n\" does not occur in") == true)
        #expect(throws: CorpusError.self) { try load("||||", "||") }
    }

    /// Pieces that are read one after the other are no borders.
    @Test func `found wherever it lies in a long file`() throws {
        let separator = "<|end|>"
        var text = ""
        var expected: [Int] = []
        for length in [(1 << 18) - 3, (1 << 18) - 10, 7, 1 << 19, 1, (1 << 18) - 7] {
            expected.append(length)
            text += String(repeating: "<", count: length) + separator
        }
        let corpus = try load(text, separator)
        #expect(corpus.documents == expected.count)
        var tokens = [Int32](repeating: 0, count: corpus.count)
        try tokens.withUnsafeMutableBufferPointer { try corpus.copyTokens(from: 0, into: $0) }
        let lengths = tokens.split(separator: ByteVocabulary.bos).map(\.count)
        #expect(lengths == expected)
        #expect(tokens.allSatisfy { $0 == ByteVocabulary.bos || $0 == 60 })
    }
}
