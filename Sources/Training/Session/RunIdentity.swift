import Checkpoints
import Files

/// Who a run is: a random number made at its very start and kept in `run.id` in its folder, from where its manifests
/// have it. Lines after the first name the runs that this one has replaced in the folder.
struct RunIdentity: Sendable, Equatable {
    /// Nil: the run was begun by an older version and goes on without.
    let id: String?
    let replaced: [String]

    /// Of what a folder forgets first: runs that were replaced long ago.
    private static let remembered = 100

    /// A new one, in the place of `old` if there was one.
    init(replacing old: RunIdentity?) {
        var generator = SystemRandomNumberGenerator()
        id = (0..<2).map { _ in Self.hexadecimal(generator.next()) }.joined()
        replaced = old.map { Array(([$0.id ?? ""] + $0.replaced).prefix(Self.remembered)) } ?? []
    }

    /// That of a run of an older version.
    static let older = RunIdentity()

    private init() {
        id = nil
        replaced = []
    }

    /// That of a checkpoint whose run goes on in this folder.
    init(of manifest: Manifest) {
        id = manifest.run?.id
        replaced = []
    }

    /// What a folder says; nil where it says nothing.
    init?(in directory: RunDirectory) throws {
        guard Folder.size(ofFile: directory.identity) != nil else { return nil }
        let text = String(decoding: try SmallFile.read(directory.identity), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        guard let first = lines.first, lines.allSatisfy({ $0.isEmpty || Self.isIdentity($0) }) else {
            throw FileError(
                path: directory.identity, operation: "know the run by it",
                reason:
                    "expected 32 hexadecimal digits in each line: it is damaged. Without it, the run is known by the "
                    + "checkpoints in its folder")
        }
        id = first.isEmpty ? nil : first
        replaced = Array(lines.dropFirst())
    }

    func write(in directory: RunDirectory) throws {
        guard id != nil || !replaced.isEmpty else { return }
        try SmallFile.write(([id ?? ""] + replaced).map { $0 + "\n" }.joined(), to: directory.identity)
    }

    func owner(_ directory: RunDirectory) -> CheckpointOwner {
        CheckpointOwner(
            run: id.map { Manifest.Run(id: $0, directory: Folder.realPath(directory.path)) }, replaced: replaced)
    }

    private static func isIdentity(_ text: String) -> Bool {
        text.utf8.count == 32 && text.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
