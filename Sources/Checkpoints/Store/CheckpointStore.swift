import Files
import Glibc

/// A directory of checkpoints: one folder a step, complete if and only if it has a manifest.
///
///     checkpoints/step-00000050/rank-0000.safetensors     what each rank owns
///                               streams-0000.safetensors  with streams: the carried state
///                               manifest.json             last
///     checkpoints/removing-00000025/...                   a clean-up that hasn't finished
package struct CheckpointStore: Sendable, Equatable {
    package let directory: String
    /// Whose checkpoints count; nil: everybody's, for who only looks.
    package let owner: CheckpointOwner?

    package init(_ directory: String, owner: CheckpointOwner? = nil) {
        self.directory = directory
        self.owner = owner
    }

    static let prefix = "step-"
    static let removingPrefix = "removing-"

    private static func number(_ step: Int) -> String {
        let digits = String(step)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    /// The folder of a step's checkpoint.
    package func path(_ step: Int) -> String { "\(directory)/\(Self.prefix)\(Self.number(step))" }

    func removingPath(_ step: Int) -> String { "\(directory)/\(Self.removingPrefix)\(Self.number(step))" }

    package func manifestPath(_ step: Int) -> String { "\(path(step))/\(Manifest.name)" }

    /// A step's folder as a look at its manifest and its files' sizes shows it.
    package struct Entry: Sendable {
        package enum State: Sendable {
            /// There is a manifest and each file that it names, of the size that it says.
            case complete(Manifest)
            /// No manifest: written halfway, or being written.
            case incomplete
            /// It had been complete.
            case damaged(reason: String)
            /// It belongs to another run than the store's owner.
            case foreign(Manifest)
        }

        package let step: Int
        package let path: String
        package let state: State

        package var manifest: Manifest? {
            if case .complete(let manifest) = state { manifest } else { nil }
        }
    }

    /// All checkpoints, oldest first; none when there is no such directory.
    package func entries() throws -> [Entry] {
        try steps(Self.prefix).map(entry)
    }

    /// The steps of the folders whose names begin with `prefix`, ascending.
    func steps(_ prefix: String) throws -> [Int] {
        try Folder.contents(directory).compactMap { Self.step(ofFolder: $0, prefix) }.sorted()
    }

    /// The step that a folder's name tells; nil for other names.
    package static func step(ofFolder name: String) -> Int? { step(ofFolder: name, prefix) }

    private static func step(ofFolder name: String, _ prefix: String) -> Int? {
        guard name.hasPrefix(prefix), let step = Int(name.dropFirst(prefix.count)), step >= 0,
            name == prefix + number(step)
        else { return nil }
        return step
    }

    /// The newest complete checkpoint.
    package func newest() throws -> Manifest? {
        for step in try steps(Self.prefix).reversed() {
            if let manifest = entry(step).manifest { return manifest }
        }
        return nil
    }

    /// The newest checkpoint of another run.
    package func foreign() throws -> Manifest? {
        for step in try steps(Self.prefix).reversed() {
            if let manifest = foreign(step) { return manifest }
        }
        return nil
    }

    /// The manifest of another run's checkpoint; nil where there is none.
    func foreign(_ step: Int) -> Manifest? {
        guard let owner, let manifest = try? manifest(step), owner.claim(manifest) == .foreign else { return nil }
        return manifest
    }

    package func entry(_ step: Int) -> Entry {
        Entry(step: step, path: path(step), state: state(step))
    }

    private func state(_ step: Int) -> Entry.State {
        let path = manifestPath(step)
        guard Folder.size(ofFile: path) != nil else { return .incomplete }
        do {
            let manifest = try manifest(step)
            switch owner?.claim(manifest) ?? .own {
            case .own: break
            case .replaced: return .incomplete
            case .foreign: return .foreign(manifest)
            }
            for file in manifest.files { try checkSize(file, step: step) }
            return .complete(manifest)
        } catch {
            return .damaged(reason: "\(error)")
        }
    }

    /// Reads and checks a step's manifest; its files are not looked at.
    package func manifest(_ step: Int) throws -> Manifest {
        let path = manifestPath(step)
        let manifest = try Manifest(try SmallFile.read(path), file: path)
        guard manifest.step == step else {
            throw ManifestError(file: path, reason: "it is of step \(manifest.step): a foreign manifest")
        }
        return manifest
    }

    private func checkSize(_ file: Manifest.File, step: Int) throws {
        let path = "\(path(step))/\(file.name)"
        guard let size = Folder.size(ofFile: path) else {
            throw ManifestError(file: path, reason: "it is missing")
        }
        guard size == file.size else {
            throw ManifestError(file: path, reason: "it has \(size) bytes, expected \(file.size): cut off or foreign")
        }
    }

    /// Compares a file with its size and digest in the manifest, and looks at its numbers.
    /// - Throws: an error that names the file and what is wrong with it; `NotFiniteError` where it is whole
    package func verify(_ file: Manifest.File, step: Int) throws {
        try checkSize(file, step: step)
        let path = "\(path(step))/\(file.name)"
        let found = try FileDigest.sha256(path)
        guard found.sha256 == file.sha256 else {
            throw ManifestError(
                file: path,
                reason: "its sha256 is \(found.sha256), expected \(file.sha256): the file is damaged or foreign")
        }
        try SafetensorsFile(path).checkFinite()
    }
}
