import Files

extension CorpusRecord {
    /// How this text differs from what it was, file by file, the first few of them; nil when no difference shows.
    package func differences(from old: CorpusRecord) -> String? {
        let found = Comparison(old: old, new: self).lines
        guard !found.isEmpty else { return nil }
        let most = 3
        let more = found.count > most ? " (and \(found.count - most) files more)" : ""
        return found.prefix(most).joined(separator: "; ") + more
    }
}

/// Two lists of files side by side. What all names of a list have in front doesn't count: the folder may be elsewhere.
private struct Comparison {
    var lines: [String] = []

    init(old: CorpusRecord, new: CorpusRecord) {
        let before = Self.byName(old.files)
        let now = Self.byName(new.files)
        let gone = before.filter { now[$0.key] == nil }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        var added = now.filter { before[$0.key] == nil }
        for (name, file) in now.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            guard let other = before[name] else { continue }
            if other.size != file.size {
                lines.append("\(file.path) had \(other.size) bytes, now \(file.size)")
            } else if let a = other.sha256, let b = file.sha256, a != b {
                lines.append("\(file.path) has as many bytes as before, but not the same")
            }
        }
        for (_, file) in gone {
            let renamed = added.first {
                $0.value.size == file.size && $0.value.sha256 == file.sha256 && file.sha256 != nil
            }
            if let renamed {
                added[renamed.key] = nil
                lines.append("\(file.path) is called \(renamed.value.path) now, and files are read by name")
            } else {
                lines.append("\(file.path) is gone")
            }
        }
        for (_, file) in added.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            lines.append("\(file.path) is new")
        }
        let isSameOrder = zip(old.files, new.files).allSatisfy { a, b in
            a.size == b.size && (a.sha256 == nil || b.sha256 == nil || a.sha256 == b.sha256)
        }
        if lines.isEmpty, !isSameOrder { lines.append("its files come in another order") }
    }

    /// The first of each name.
    private static func byName(_ files: [CorpusRecord.File]) -> [[UInt8]: CorpusRecord.File] {
        let paths = files.map(\.path.bytes)
        var common = paths.first?.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        for path in paths {
            let same = zip(path.prefix(common), paths[0]).prefix { $0 == $1 }.count
            common = path.prefix(same).lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        }
        return Dictionary(files.map { (Array($0.path.bytes.dropFirst(common)), $0) }) { first, _ in first }
    }
}
