import Checkpoints
import Files
import Foundation
import JSON
import Testing

/// The corpus that jobs/fuzz.sh begins with, and what fuzzing has found: `good-` is read, `bad-` refused, everything
/// else one or the other.
@Suite struct CorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Corpus"

    private func read(_ input: [UInt8]) throws {
        let folder = try TemporaryFolder()
        let bytes = Array(input.dropFirst())
        switch input.first {
        case UInt8(ascii: "s"): _ = try SafetensorsFile(folder.write("input", bytes))
        case UInt8(ascii: "m"):
            _ = try Manifest(ManifestFields(JSONParser.parse(bytes), file: "f"))
        default: _ = try JSONParser.parse(bytes)
        }
    }

    @Test func `hostile files are refused and legal ones are read`() throws {
        let names = try Folder.contents(Self.folder)
        #expect(names.filter { $0.hasPrefix("good-") }.count >= 5)
        #expect(names.filter { $0.hasPrefix("bad-") }.count >= 15)
        for name in names {
            let input = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/\(name)")))
            let result = Result { try read(input) }
            if name.hasPrefix("good-") { #expect(throws: Never.self, "\(name)") { try result.get() } }
            if name.hasPrefix("bad-") { #expect(throws: (any Error).self, "\(name)") { try result.get() } }
        }
    }
}
