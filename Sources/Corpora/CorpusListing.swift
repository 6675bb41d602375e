import Files
import Foundation

/// The files that make up a text, in the order in which they are read: the named ones as they come, those of a folder
/// by the bytes of their names at any depth, links followed. Each byte below a name is either in one of the files, or
/// told in `leftOut`, or an error.
struct CorpusListing {
    private(set) var files: [BytePath] = []
    private(set) var leftOut = LeftOut()
    private let exclusions: CorpusExclusions
    private let ownFolders: Set<FileIdentity>
    private let ownOutput: Set<FileIdentity>
    /// The folders on the way from the root to the one that is looked through.
    private var way: [FileIdentity] = []
    private var visited: Set<FileIdentity> = []
    private var repeated = 0

    /// Links can lead to one folder in more ways than can be gone.
    private static let mostRepeated = 1000

    init(_ paths: CorpusPaths, leavingOut exclusions: CorpusExclusions) throws {
        self.exclusions = exclusions
        ownFolders = Set(exclusions.folders.compactMap { FileIdentity($0.path) })
        ownOutput = Self.ownOutput
        for path in try Self.split(paths) { try add(named: path) }
    }

    /// Paths as they are named: the entries of a list, or what stands between commas.
    private static func split(_ paths: CorpusPaths) throws -> [BytePath] {
        if let problem = paths.problem { throw CorpusError("data.path \(problem)") }
        switch paths {
        case .list(let paths): return paths.map { BytePath($0) }
        case .text(let text):
            let whole = BytePath(text)
            var status = stat()
            // A name that holds a comma itself goes before the list.
            if whole.withCString({ lstat($0, &status) }) == 0 { return [whole] }
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            guard parts.count > 1 else { return [whole] }
            if parts.contains("") {
                throw CorpusError("the corpus list \"\(text)\" has an empty entry: remove a comma")
            }
            return parts.map { BytePath($0) }
        }
    }

    private mutating func add(named path: BytePath) throws {
        let status = try Self.status(path)
        switch status.st_mode & S_IFMT {
        case S_IFREG: files.append(path)
        case S_IFDIR:
            let identity = FileIdentity(status)
            if let own = exclusions.folders.first(where: { FileIdentity($0.path) == identity }) {
                throw CorpusError(
                    """
                    data.path names \(path), which is \(own.key), where the run writes: give the text, or the run, \
                    a folder of its own
                    """
                )
            }
            let before = files.count
            way = Self.above(path)
            try visit(path, identity, try Self.names(path))
            guard files.count > before else {
                let other = leftOut.text.map { ", only \($0)" } ?? ""
                throw CorpusError(
                    "the corpus folder \(path) has no files\(other): give a folder with text files, or a file")
            }
        default:
            throw CorpusError(
                """
                cannot read the corpus \(path): it is neither a file nor a folder, but a pipe, a socket or a \
                device: write the text to a file
                """
            )
        }
    }

    private mutating func visit(_ folder: BytePath, _ identity: FileIdentity, _ names: [[UInt8]]) throws {
        if !visited.insert(identity).inserted {
            repeated += 1
            guard repeated <= Self.mostRepeated else {
                throw CorpusError(
                    "links lead to the same folders of the corpus over and over, at last by \(folder): remove some")
            }
        }
        way.append(identity)
        defer { way.removeLast() }
        for name in names {
            let path = folder.appending(name)
            if name.first == UInt8(ascii: ".") {
                leftOut.add(.hidden, path)
                continue
            }
            let status = try Self.status(path)
            let identity = FileIdentity(status)
            switch status.st_mode & S_IFMT {
            case S_IFREG where ownOutput.contains(identity): leftOut.add(.output, path)
            case S_IFREG: files.append(path)
            case S_IFDIR where way.contains(identity): leftOut.add(.circle, path)
            case S_IFDIR where ownFolders.contains(identity): leftOut.add(.run, path)
            case S_IFDIR:
                let entries = try Self.names(path)
                if isRun(name, entries) { leftOut.add(.run, path) } else { try visit(path, identity, entries) }
            default: leftOut.add(.special, path)
            }
        }
    }

    /// The folders that a folder is in, whose links back lead in a circle, too.
    private static func above(_ folder: BytePath) -> [FileIdentity] {
        var way: [FileIdentity] = []
        var path = folder
        while let identity = FileIdentity(path), identity != way.last {
            way.append(identity)
            path = path.appending(Array("..".utf8))
        }
        return Array(way.dropFirst())
    }

    private func isRun(_ name: [UInt8], _ entries: [[UInt8]]) -> Bool {
        exclusions.isRun(
            String(decoding: name, as: UTF8.self), Set(entries.compactMap { String(validating: $0, as: UTF8.self) }))
    }

    private static func names(_ folder: BytePath) throws -> [[UInt8]] {
        do {
            return try Folder.names(folder)
        } catch let error as FileError {
            throw CorpusError("cannot read the corpus folder \(folder): \(error.reason)")
        }
    }

    /// Of what a path leads to.
    private static func status(_ path: BytePath) throws -> stat {
        var status = stat()
        guard path.withCString({ stat($0, &status) }) != 0 else { return status }
        let problem = errno
        if problem == ENOENT || problem == ELOOP, let target = Folder.link(path) {
            let fault = problem == ENOENT ? "where nothing is" : "and so on in a circle"
            throw CorpusError(
                "cannot read the corpus \(path): it is a link that leads to \(target), \(fault): mend or remove it")
        }
        errno = problem
        throw CorpusError.system(path)
    }

    /// The files that standard output and standard error go to: they grow by what the run says.
    private static var ownOutput: Set<FileIdentity> {
        Set(
            [STDOUT_FILENO, STDERR_FILENO].compactMap { number in
                var status = stat()
                guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
                return FileIdentity(status)
            })
    }

    /// To be told of files that turned out to be empty.
    mutating func leaveOut(_ kind: LeftOut.Kind, _ path: BytePath) { leftOut.add(kind, path) }
}
