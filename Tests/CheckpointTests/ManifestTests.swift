import Checkpoints
import Files
import Testing

@Suite struct ManifestTests {
    static let sample: Manifest = {
        var manifest = Manifest(
            progress: .init(step: 50, optimizerStep: 48, skipped: 2, skippedInARow: 1, sequences: 200),
            corpus: "7 \"tokens\"\n", seed: 3,
            layout: .init(stages: 2, replicas: 1, schedule: "zb-h1", layers: [3, 1]),
            configuration: "[model]\nlayers = 4\n\"\\é\u{1}", created: 1_700_000_000)
        manifest.files = [
            .init(name: "rank-0000.safetensors", rank: 0, size: 10, sha256: String(repeating: "0a", count: 32)),
            .init(name: "rank-0001.safetensors", rank: 1, size: 0, sha256: String(repeating: "ff", count: 32)),
        ]
        return manifest
    }()

    @Test func `a manifest reads back the same`() throws {
        let text = Array(Self.sample.json.utf8)
        #expect(try Manifest(text, file: "m") == Self.sample)
        var none = Self.sample
        none.files = []
        none.run = .init(id: "0123", directory: "/a \"b\"/c")
        #expect(try Manifest(Array(none.json.utf8), file: "m") == none)
    }

    @Test func `the program that wrote it is known, unless it didn't say`() throws {
        var written = Self.sample
        written.program = "gecko 0.9.0 (\"x\")"
        #expect(try Manifest(Array(written.json.utf8), file: "m").program == written.program)
        #expect(try Manifest(sealed { $0.replacing("  \"program\": null,\n", with: "") }, file: "m") == Self.sample)
    }

    @Test func `the library that its bits depend on is known, unless they depend on none`() throws {
        var written = Self.sample
        written.library = "OpenBLAS 0.3.21, core type \"Zen\""
        #expect(try Manifest(Array(written.json.utf8), file: "m") == written)
        #expect(!Self.sample.json.contains("library"))
    }

    @Test func `any flipped bit and any cut is found`() {
        let text = Array(Self.sample.json.utf8)
        for i in text.indices {
            var flipped = text
            flipped[i] ^= 1 << UInt8(i % 8)
            #expect(throws: ManifestError.self) { try Manifest(flipped, file: "m") }
            #expect(throws: ManifestError.self) { try Manifest(Array(text[..<i]), file: "m") }
        }
        #expect(throws: ManifestError.self) { try Manifest(text + [0x0A], file: "m") }
    }

    /// The text of a manifest with another body and a digest that fits it: what an attacker, not an accident, would
    /// write.
    private func sealed(_ change: (String) -> String) -> [UInt8] {
        let json = Self.sample.json
        let seal = ",\n  \"manifest_sha256\": \""
        let body = change(String(json[..<json.range(of: seal)!.lowerBound]))
        var digest = ParameterDigest()
        Array(body.utf8).withUnsafeBytes { digest.update($0) }
        return Array((body + seal + digest.hex() + "\"\n}\n").utf8)
    }

    @Test(arguments: [
        ("rank-0000.safetensors", "../../etc/passwd", "no name"),
        ("rank-0000.safetensors", ".hidden", "no name"),
        ("rank-0000.safetensors", "manifest.json", "no name"),
        ("rank-0000.safetensors", "rank-0001.safetensors", "twice"),
        ("\"step\": 50", "\"step\": -50", "step"),
        ("\"step\": 50", "\"step\": 1e3", "step"),
        ("\"step\": 50", "\"step\": 99999999999999999999", "step"),
        ("\"size\": 10", "\"size\": \"10\"", "size"),
        ("\"version\": 1", "\"version\": 2", "version"),
        ("gecko.checkpoint", "other", "format"),
        ("\"seed\": 3", "\"seed\": [3]", "seed"),
        ("\"layers\": [3, 1]", "\"layers\": [3, null]", "layers"),
        ("0a0a", "0A0A", "hexadecimal"),
    ])
    func `what is sealed and wrong is refused by name`(old: String, new: String, word: String) {
        let text = sealed { $0.replacing(old, with: new, maxReplacements: 1) }
        let error = #expect(throws: ManifestError.self) { try Manifest(text, file: "m.json") }
        #expect(error?.description.contains(word) == true, "\(String(describing: error))")
        #expect(error?.description.hasPrefix("m.json: ") == true)
    }

    @Test func `a field more is read over, one less is named`() throws {
        #expect(
            try Manifest(sealed { $0.replacing("{\n", with: "{\n  \"more\": [1],\n", maxReplacements: 1) }, file: "m")
                == Self.sample)
        let error = #expect(throws: ManifestError.self) {
            try Manifest(sealed { $0.replacing("\"skipped\":", with: "\"skippy\":") }, file: "m")
        }
        #expect(error?.reason.contains("\"skipped\" is missing") == true)
    }
}
