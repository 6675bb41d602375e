/// What a roll call found, as sentences: who is missing first, then the rank that was waited for, then others, as far
/// as one wants to read.
package struct FailureDetectorText: CustomStringConvertible {
    /// Answers that are written out.
    private static let longest = 8

    package let description: String

    /// - Parameters:
    ///   - answers: what ranks said, each the end of a sentence that begins with the rank
    ///   - others: all ranks that were asked
    ///   - hosts: node names by rank, or nothing
    package init(answers: [Int: String], others: [Int], first: Int?, hosts: [String]) {
        func name(_ rank: Int) -> String { "Rank \(rank)" + (hosts.indices.contains(rank) ? " on \(hosts[rank])" : "") }
        let missing = others.filter { answers[$0] == nil }
        var sentences: [String] = []
        if missing.count == 1 {
            sentences.append("\(name(missing[0])) does not answer: it is dead, stopped, or deep in a computation.")
        } else if !missing.isEmpty {
            let names = missing.prefix(Self.longest).map(name).joined(separator: ", ")
            let more = missing.count > Self.longest ? " and \(missing.count - Self.longest) more" : ""
            sentences.append("\(names)\(more) do not answer: they are dead, stopped, or deep in a computation.")
        }
        let order = others.filter { $0 == first } + others.filter { $0 != first }
        let found = order.compactMap { rank in answers[rank].map { "\(name(rank)) \($0)." } }
        sentences += found.prefix(Self.longest)
        if found.count > Self.longest { sentences.append("\(found.count - Self.longest) more ranks are alive.") }
        description = sentences.joined(separator: " ")
    }
}
