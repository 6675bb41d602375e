import Files
import Model

/// Whether configurations are ones whose runs can be compared: everything that means something to the numbers is equal
/// but the architecture and its learning rate. Asked before the runs; nothing is read but the configurations.
package struct FairComparison: Sendable {
    /// A configuration and what it is called in the record: its file.
    package struct Entry: Sendable {
        package let name: String
        package let configuration: RunConfiguration

        /// - Parameter configuration: resolved
        package init(name: String, configuration: RunConfiguration) {
            self.name = name
            self.configuration = configuration
        }

        var model: any Architecture { configuration.resolvedModel }
        /// Tokens of a chunk; nil for an architecture without chunks, or that sees the whole sequence.
        var chunk: Int? {
            guard let key = type(of: model).sliceKey else { return nil }
            let chunk = model.integer(key)
            return chunk > 0 ? chunk : nil
        }
        var isTied: Bool { model.describe(.output).parameters.contains { $0.copyOf != nil } }
        var embedding: Initializer? { model.describe(.embedding).parameters.first?.initializer }
    }

    /// What is the same for all, and its value.
    package private(set) var equal: [(what: String, value: String)] = []
    /// What differs although it may not; a sentence each.
    package private(set) var problems: [String] = []
    /// What differs and is known.
    package private(set) var notes: [String] = []
    private let entries: [Entry]

    /// Parameters without embeddings may differ by this share of the first one's.
    package static let tolerance = 0.005
    /// A sequence holds at least so many chunks, or what a model carries from chunk to chunk isn't compared.
    package static let leastChunks = 8

    /// - Parameter files: configuration files
    /// - Throws: `ConfigurationError` for one that can't be read or run
    package init(files: [String]) throws {
        self.init(
            try files.map {
                Entry(
                    name: $0, configuration: try RunConfiguration.load(file: $0, overrides: []).validated(world: nil))
            })
    }

    package init(_ entries: [Entry]) {
        precondition(!entries.isEmpty)
        self.entries = entries
        checkParameters()
        for key in ConfigurationKey.common where Self.counts(key) {
            check(key.qualifiedName) { key.written(in: $0.configuration) }
        }
        check("precision of matrix products") { $0.model.precision.rawValue }
        check("embedding and output matrix") { $0.isTied ? "tied" : "untied" }
        check("scale of embeddings") { ProgressLine.fixed($0.model.embeddingScale, 4) }
        check("dropout") { $0.model.drops ? "some" : "none" }
        check("tokens of a chunk", of: { $0.chunk.map(String.init) })
        checkChunks()
        noteFirstValues()
    }

    package var isFair: Bool { problems.isEmpty }

    /// What means nothing to the numbers may differ, and so may the learning rate, which is chosen for each; the text
    /// and what is evaluated may not, though runs go on with others.
    private static func counts(_ key: ConfigurationKey) -> Bool {
        let name = key.qualifiedName
        if ["data.path", "training.evaluate_sequences"].contains(name) { return true }
        return key.onResume != .free && name != "optimizer.learning_rate"
    }

    private mutating func check(_ what: String, of value: (Entry) -> String?) {
        let found = entries.map(value)
        // Who has no such thing isn't asked.
        guard let first = found.firstIndex(where: { $0 != nil }) else { return }
        var isEqual = true
        for (entry, other) in zip(entries, found) where other != nil && other != found[first] {
            isEqual = false
            problems.append("\(what): \(found[first]!) in \(entries[first].name), but \(other!) in \(entry.name)")
        }
        if isEqual { equal.append((what, found[first]!)) }
    }

    private mutating func checkParameters() {
        let counts = entries.map(\.model.parametersWithoutEmbeddings)
        var isEqual = true
        for (entry, count) in zip(entries, counts) where !Self.agree(count, counts[0]) {
            isEqual = false
            problems.append(
                "parameters without embeddings: \(counts[0]) in \(entries[0].name), but \(count) in \(entry.name), "
                    + "\(Self.ratio(count, counts[0])) of them: at most \(Self.tolerance * 100) % apart is fair. "
                    + "Change the width of a feed-forward network")
        }
        if isEqual {
            equal.append(
                ("parameters without embeddings, within \(Self.tolerance * 100) %", AxisTicks.grouped(counts[0])))
        }
    }

    private static func agree(_ count: Int, _ first: Int) -> Bool {
        abs(Double(count - first)) <= tolerance * Double(first)
    }

    private static func ratio(_ count: Int, _ first: Int) -> String {
        ProgressLine.fixed(Double(count) / Double(first), 4)
    }

    private mutating func checkChunks() {
        for entry in entries {
            let sequence = entry.configuration.data.sequence
            guard let chunk = entry.chunk else { continue }
            if sequence % chunk != 0 || sequence / chunk < Self.leastChunks {
                problems.append(
                    "data.sequence = \(sequence) in \(entry.name) must be a multiple of its chunk of \(chunk) tokens "
                        + "and at least \(Self.leastChunks) of them: with fewer, what is carried from chunk to chunk "
                        + "isn't compared")
            }
        }
    }

    private mutating func noteFirstValues() {
        for entry in entries.dropFirst() where entry.embedding != entries[0].embedding {
            notes.append(
                "first values of the embedding: \(Self.text(entries[0].embedding)) in \(entries[0].name), "
                    + "\(Self.text(entry.embedding)) in \(entry.name)")
        }
    }

    private static func text(_ initializer: Initializer?) -> String {
        switch initializer {
        case .normal(let deviation)?: "normal, deviation \(ProgressLine.fixed(deviation, 4))"
        case .truncatedNormal(let deviation)?:
            "normal, deviation \(ProgressLine.fixed(deviation, 4)), truncated at three of them"
        case let other?: "\(other)"
        case nil: "none"
        }
    }
}

extension FairComparison {
    /// The record: what is equal, each with its value; the models; and what differs.
    package var text: String {
        var parts = [
            isFair
                ? "The comparison is fair: equal for all \(entries.count) configurations are\n"
                : "The comparison is not fair. Equal for all \(entries.count) configurations are\n",
            MarkdownTable(header: ["what", "value"], rows: equal.map { [$0.what, $0.value] }).text,
            "Each has of its own:\n",
            MarkdownTable(
                header: [
                    "configuration", "architecture", "parameters without embeddings", "of the first one's",
                    "forward FLOPs a token", "learning rate",
                ], rows: entries.map(row)
            ).text,
        ]
        if !notes.isEmpty { parts.append(notes.map { "Note: \($0).\n" }.joined()) }
        if !isFair { parts.append("What differs:\n" + problems.map { "- \($0)\n" }.joined()) }
        return parts.joined(separator: "\n")
    }

    private func row(_ entry: Entry) -> [String] {
        let (model, configuration) = (entry.model, entry.configuration)
        let count = model.parametersWithoutEmbeddings
        return [
            entry.name, type(of: model).name, AxisTicks.grouped(count),
            Self.ratio(count, entries[0].model.parametersWithoutEmbeddings),
            ProgressLine.scaled(
                model.meanForwardFlops(
                    sequence: configuration.data.sequence, before: configuration.data.streamContext)),
            ProgressLine.scientific(configuration.optimizer.learningRate),
        ]
    }
}
