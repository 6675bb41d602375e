import Files
import JSON

extension Manifest {
    /// The last member: the digest of every byte before it.
    private static let seal = ",\n  \"manifest_sha256\": \""
    private static let end = "\"\n}\n"

    /// The manifest as JSON, sealed with a digest of its own.
    package var json: String {
        let files = files.map {
            """
                {\"name\": \(JSONText.quoted($0.name)), \"rank\": \($0.rank), \"size\": \($0.size), \"sha256\": \
            \"\($0.sha256)\"}
            """
        }
        let run =
            run.map {
                "\n  \"run\": {\"id\": \(JSONText.quoted($0.id)), \"directory\": \(JSONText.quoted($0.directory))},"
            } ?? ""
        let library = library.map { "\n  \"library\": \(JSONText.quoted($0))," } ?? ""
        let layers = layout.layers.map(String.init).joined(separator: ", ")
        let body = """
            {
              "format": "\(Self.format)",
              "version": \(Self.version),
              "step": \(step),
              "optimizer_step": \(progress.optimizerStep),
              "skipped": \(progress.skipped),
              "skipped_in_a_row": \(progress.skippedInARow),
              "data": {"sequences": \(progress.sequences), "corpus": \(JSONText.quoted(corpus))},
              "random": {"generator": "counter-based: its state is the seed and the step", "seed": \(seed)},
              "layout": {"stages": \(layout.stages), "replicas": \(layout.replicas), \
            "schedule": \(JSONText.quoted(layout.schedule)), "layers": [\(layers)]},
              "configuration": \(JSONText.quoted(configuration)),\(run)
              "program": \(program.map { JSONText.quoted($0) } ?? "null"),\(library)
              "created": \(created),
              "files": [
            \(files.joined(separator: ",\n"))
              ]
            """
        return body + Self.seal + Self.digest(Array(body.utf8)[...]) + Self.end
    }

    private static func digest(_ bytes: ArraySlice<UInt8>) -> String {
        var digest = ParameterDigest()
        bytes.withUnsafeBytes { digest.update($0) }
        return digest.hex()
    }

    /// Reads a manifest that may be damaged or hostile.
    /// - Parameter file: its name in messages
    package init(_ text: [UInt8], file: String) throws {
        func fault(_ reason: String) -> ManifestError { ManifestError(file: file, reason: reason) }
        let tail = Array(Self.seal.utf8).count + 64 + Array(Self.end.utf8).count
        guard text.count > tail else {
            throw fault("expected a manifest, found \(text.count) bytes: it is cut off or foreign")
        }
        let body = text[..<(text.count - tail)]
        let expected = Array((Self.seal + Self.digest(body) + Self.end).utf8)
        guard text[(text.count - tail)...].elementsEqual(expected) else {
            throw fault("its own digest doesn't match its text: it is damaged, cut off, edited or foreign")
        }
        let root: JSONNode
        do {
            root = try text.withUnsafeBytes { try JSONParser.parse($0) }
        } catch {
            throw fault("it is not valid JSON: \(error)")
        }
        try self.init(ManifestFields(root, file: file))
    }
}
