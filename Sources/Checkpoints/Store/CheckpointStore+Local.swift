import Files

// A node-local store holds the files of the node's ranks, copies of another node's, and the manifest of all. A step
// counts there when some node has its manifest: it is written after every file and every copy is durable, wherever they
// are.
extension CheckpointStore {
    static let copyPrefix = "copy-of-"

    /// The manifest's name of a file that may be a copy.
    static func original(_ name: String) -> String {
        name.hasPrefix(copyPrefix) ? String(name.dropFirst(copyPrefix.count)) : name
    }

    /// Writes a file of another node as it came, if it is what the manifest says.
    package func writeCopy(of file: Manifest.File, _ bytes: UnsafeRawBufferPointer, step: Int) throws {
        try put(file, bytes, at: "\(path(step))/\(Self.copyPrefix)\(file.name)")
    }

    /// Puts back a file that this node had lost.
    package func restore(_ file: Manifest.File, _ bytes: UnsafeRawBufferPointer, step: Int) throws {
        try Folder.make(path(step))
        try put(file, bytes, at: "\(path(step))/\(file.name)")
    }

    private func put(_ file: Manifest.File, _ bytes: UnsafeRawBufferPointer, at path: String) throws {
        var digest = ParameterDigest()
        digest.update(bytes)
        guard bytes.count == file.size, digest.hex() == file.sha256 else {
            throw ManifestError(file: path, reason: "what came from another node is not the file of its digest")
        }
        let target = try AtomicFile(path)
        try target.write(bytes, at: 0)
        try target.commit()
    }

    /// Where this node has a file of a step, as its own or as a copy, whole by size and digest. `report` hears of
    /// damage.
    package func find(_ file: Manifest.File, step: Int, report: (any Error) -> Void = { _ in }) -> String? {
        for name in [file.name, Self.copyPrefix + file.name] {
            let path = "\(path(step))/\(name)"
            guard Folder.size(ofFile: path) != nil else { continue }
            do {
                var named = file
                named.name = name
                try verify(named, step: step)
                return path
            } catch {
                report(error)
            }
        }
        return nil
    }

    /// Where this node has a file by its size, as its own or as a copy: for what another rank of the node has checked.
    package func existing(_ file: Manifest.File, step: Int) -> String? {
        [file.name, Self.copyPrefix + file.name].map { "\(path(step))/\($0)" }.first {
            Folder.size(ofFile: $0) == file.size
        }
    }

    /// The owner's manifests that this node has, by step ascending; files aren't looked at.
    package func manifests() throws -> [Manifest] {
        try steps(Self.prefix).compactMap { own($0) }
    }

    private func own(_ step: Int) -> Manifest? {
        guard let manifest = try? manifest(step), owner?.claim(manifest) ?? .own == .own else { return nil }
        return manifest
    }

    /// Removes what need not be kept on this node after the checkpoint of `newest` was committed here.
    package func cleanUpLocal(after newest: Int, _ retention: Retention) throws {
        try cleanUp(after: newest, retention) { self.own($0) != nil }
    }
}
