/// Finds what a mistyped name was meant to be.
enum SimilarNames {
    /// Edits (insert, delete, replace, swap neighbours) that turn one word into the other.
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a)
        let b = Array(b)
        var rows = [Array(0...b.count)]
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(row[j], rows[i][j + 1]) + 1
                best = min(best, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }

    /// The names nearest to `word`, at most three, if any is near enough to be meant. Spelling apart (`zdim`,
    /// `z-dim`, `zDim` for `z_dim`) counts as the same.
    static func nearest(to word: String, among names: [String]) -> [String] {
        let respelled = names.filter { letters($0) == letters(word) }
        if !respelled.isEmpty { return Array(respelled.prefix(3)) }
        let limit = max(1, min(4, word.count / 3))
        let scored = names.map { (name: $0, distance: distance(word, $0)) }.filter { $0.distance <= limit }
        guard let best = scored.map(\.distance).min() else { return [] }
        return Array(scored.filter { $0.distance == best }.map(\.name).prefix(3))
    }

    private static func letters(_ name: String) -> String {
        name.filter { $0 != "_" && $0 != "-" }.lowercased()
    }

    /// The keys that the unknown `word` (with or without a section) may stand for: the same name in another section
    /// first, then near misses of the whole, then near misses of the last part.
    static func keys(for word: String, among keys: [ConfigurationKey]) -> [String] {
        let last = word.split(separator: ".").last.map(String.init) ?? word
        let namesakes = keys.filter { $0.name == last }.map(\.qualifiedName)
        if !namesakes.isEmpty {
            let near = nearest(to: word, among: namesakes)
            return near.isEmpty ? Array(namesakes.prefix(3)) : near
        }
        let whole = nearest(to: word, among: keys.map(\.qualifiedName))
        if !whole.isEmpty { return whole }
        let names = Set(nearest(to: last, among: keys.map(\.name)))
        return Array(keys.filter { names.contains($0.name) }.map(\.qualifiedName).prefix(3))
    }

    /// "; did you mean a or b?", or nothing.
    static func question(_ names: [String]) -> String {
        names.isEmpty ? "" : "; did you mean \(names.joined(separator: " or "))?"
    }
}
