import Foundation

/// One file of a corpus. Large files are mapped, so that the memory they take is the system's cache.
struct CorpusFile: Sendable {
    let path: String
    let bytes: Data

    private static let mappedFrom = 16 << 20

    init(_ path: String) throws {
        self.path = path
        do {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
            guard attributes[.type] as? FileAttributeType == .typeRegular else {
                throw CorpusError("cannot read the corpus \(path): it is neither a file nor a folder")
            }
            let large = (attributes[.size] as? Int).map { $0 >= Self.mappedFrom } ?? false
            bytes = try Data(contentsOf: URL(fileURLWithPath: path), options: large ? .alwaysMapped : [])
        } catch let error as CorpusError {
            throw error
        } catch {
            throw Self.unreadable(path, error)
        }
    }

    /// With the system's reason where there is one: Foundation's own text leaves it out.
    static func unreadable(_ path: String, _ error: any Error) -> CorpusError {
        let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
        let reason =
            cause.map { String(cString: strerror(Int32(($0 as NSError).code))) } ?? error.localizedDescription
        return CorpusError("cannot read the corpus \(path): \(reason)")
    }

    /// The files that `path` stands for, in the order in which they are read: a file, a folder with all files below it
    /// by name (hidden ones left out), or several of these separated by commas.
    static func list(_ path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        // A name that holds a comma itself goes before the list.
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
            return isFolder.boolValue ? try files(in: path) : [path]
        }
        let parts = path.split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
        guard parts.count > 1 else { return [path] }
        if parts.contains("") { throw CorpusError("the corpus list \"\(path)\" has an empty entry: remove a comma") }
        return try parts.flatMap { part in
            guard FileManager.default.fileExists(atPath: part, isDirectory: &isFolder) else { return [part] }
            return isFolder.boolValue ? try files(in: part) : [part]
        }
    }

    private static func files(in folder: String) throws -> [String] {
        var files: [String] = []
        func visit(_ folder: String) throws {
            let names: [String]
            do {
                names = try FileManager.default.contentsOfDirectory(atPath: folder)
            } catch {
                throw unreadable(folder, error)
            }
            // By bytes, so that the order does not hang on the locale.
            for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) where !name.hasPrefix(".") {
                let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
                var isFolder: ObjCBool = false
                guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
                if !isFolder.boolValue {
                    files.append(path)
                } else if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == nil {
                    // Linked folders are left out: they may lead in a circle.
                    try visit(path)
                }
            }
        }
        try visit(folder)
        guard !files.isEmpty else {
            throw CorpusError("the corpus folder \(folder) has no files: give a folder with text files, or a file")
        }
        return files
    }
}
