import Glibc

/// A file that a user named for one of gecko's products.
package enum OutputFile {
    /// Writes all of it, or leaves what was there.
    /// - Throws: `FileError`; also for a file that is there and isn't of this kind, unless `overwrite` says that it may
    ///   go
    package static func write(_ text: String, to path: String, as kind: OutputKind, overwrite: Bool) throws {
        try check(path, as: kind, overwrite: overwrite)
        try SmallFile.write(text, to: path)
    }

    /// Whether `write` would replace something that gecko didn't make: to be known before long work.
    package static func check(_ path: String, as kind: OutputKind, overwrite: Bool) throws {
        var folder = stat()
        guard stat(Folder.parent(of: path), &folder) == 0 else {
            throw FileError.system("write \(kind.name) there", path)
        }
        guard !overwrite, let size = Folder.size(ofFile: path), size > 0 else { return }
        guard try kind.isFound(inBeginning: SmallFile.beginning(path, bytes: OutputKind.beginning)) else {
            throw FileError(
                path: path, operation: "write \(kind.name) there",
                reason: "a file that is something else has this name: give another name, or --overwrite to lose it")
        }
    }
}

/// What a file of gecko's holds, and how one is known again.
package struct OutputKind: Sendable {
    /// With its article, for messages.
    let name: String
    /// All of these stand in the beginning of such a file.
    let marks: [String]

    /// Bytes in which the marks are looked for.
    static let beginning = 4096

    package static let picture = OutputKind(name: "a picture", marks: ["<svg ", "<!-- drawn by gecko -->"])
    package static let trace = OutputKind(name: "a trace", marks: ["{\"displayTimeUnit\"", "\"program\":\"gecko\""])
    package static let schedule = OutputKind(name: "a schedule", marks: ["gecko-schedule"])
    package static let costs = OutputKind(name: "costs", marks: ["gecko-costs"])
    package static let cluster = OutputKind(name: "a cluster's description", marks: ["gecko plan reads this file"])
    package static let configuration = OutputKind(name: "a configuration", marks: ["# Written by gecko"])
    package static let model = OutputKind(
        name: "a model", marks: ["{\"__metadata__\":{\"format\":\"gecko\"", "gecko.configuration"])

    func isFound(inBeginning bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        return marks.allSatisfy { text.contains($0) }
    }
}
