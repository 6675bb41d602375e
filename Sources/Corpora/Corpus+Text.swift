import Files

extension Corpus {
    /// Why it may not be meant as a text, by the beginnings of its files; nil when all look like it.
    package var doubt: String? {
        let strange = reader.files.filter { $0.doubt != nil }
        guard let first = strange.first, let doubt = first.doubt else { return nil }
        let count = strange.count == 1 ? "" : "\(strange.count) of \(fileCount) files don't look like text, the first: "
        return "\(count)\(first.path) \(doubt); its bytes are trained on like any others"
    }

    /// Files that are in the text more than once, by whatever names; nil for none.
    package var repetition: String? {
        var seen: [FileIdentity: Int] = [:]
        var first: (Int, Int)?
        var count = 0
        for (index, file) in reader.files.enumerated() {
            if let earlier = seen[file.stamp.identity] {
                count += 1
                first = first ?? (earlier, index)
            } else {
                seen[file.stamp.identity] = index
            }
        }
        guard let first else { return nil }
        let (a, b) = (reader.files[first.0].path, reader.files[first.1].path)
        let what = a == b ? "\(a) is named twice" : "\(b) is \(a)"
        return
            """
            \(count) file\(count == 1 ? " comes" : "s come") again under another name or by a link (\(what)): the \
            text is read as often as it is there
            """
    }
}
