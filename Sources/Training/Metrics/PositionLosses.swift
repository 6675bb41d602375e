import Checkpoints
import Files
import Glibc
import JSON
import Pipeline

/// A mean loss over sequences in nats a token.
package struct MeanLoss: Sendable, Equatable {
    /// Not finite where no target counts.
    package let mean: Double
    /// Of the mean, from how sequences differ; nil where fewer than two count.
    package let standardError: Double?
    /// Targets that count.
    package let targets: Int

    package init(mean: Double, standardError: Double?, targets: Int) {
        self.mean = mean
        self.standardError = standardError
        self.targets = targets
    }

    /// Sums over all targets, however many a sequence has; the error is that of a ratio, which with equally many is the
    /// usual one.
    ///
    /// - Parameters:
    ///   - sums: of token losses, by sequence
    ///   - targets: that count, by sequence
    init(sums: [Double], targets: [Int]) {
        let counted = zip(sums, targets).filter { $1 > 0 }
        let all = counted.reduce(0) { $0 + $1.1 }
        let mean = counted.reduce(0) { $0 + $1.0 } / Double(all)
        let n = Double(counted.count)
        let squares = counted.reduce(0) { sum, sequence in
            let off = sequence.0 - mean * Double(sequence.1)
            return sum + off * off
        }
        self.init(
            mean: mean, standardError: n > 1 ? (squares / (n * (n - 1))).squareRoot() / (Double(all) / n) : nil,
            targets: all)
    }
}

/// The held-out loss over the positions of a sequence: what `positions.json` of a run holds. Numbers are the same in
/// every layout.
package struct PositionLosses: Sendable, Equatable {
    /// Steps that the model was trained.
    package let step: Int
    /// Sequences of which a target counts.
    package let sequences: Int
    package let bins: PositionBins
    /// Over all positions; the mean is the run's held-out loss.
    package let all: MeanLoss
    /// By bin.
    package let losses: [MeanLoss]

    package init(step: Int, sequences: Int, bins: PositionBins, all: MeanLoss, losses: [MeanLoss]) {
        precondition(losses.count == bins.count)
        self.step = step
        self.sequences = sequences
        self.bins = bins
        self.all = all
        self.losses = losses
    }

    package var json: String {
        JSONText.object([
            ("step", .number(Double(step))), ("sequences", .number(Double(sequences))),
            ("sequence", .number(Double(bins.sequence))), ("targets", .number(Double(all.targets))),
            ("loss", .number(all.mean)), ("standard_error", Self.number(all.standardError)),
            (
                "bins",
                .object([
                    ("tokens", .number(Double(bins.width))), ("losses", .numbers(losses.map(\.mean))),
                    ("standard_errors", .array(losses.map { Self.number($0.standardError) })),
                    ("targets", .numbers(losses.map { Double($0.targets) })),
                ])
            ),
        ]).text + "\n"
    }

    private static func number(_ value: Double?) -> JSONText { value.map { .number($0) } ?? .null }

    /// Reads a run's file; nil where there is none.
    /// - Throws: `FileError` for one that is damaged
    package init?(file path: String) throws {
        guard Folder.size(ofFile: path) != nil else { return nil }
        let root: JSONNode
        do { root = try JSONParser.parse(try SmallFile.read(path)) } catch let error as JSONError {
            throw FileError(path: path, operation: "read it", reason: "it is no JSON: \(error)")
        }
        guard let read = Self(root) else {
            throw FileError(
                path: path, operation: "read it",
                reason: "expected the held-out loss over positions as gecko train writes it")
        }
        self = read
    }

    private init?(_ root: JSONNode) {
        guard let step = root["step"]?.integer, let sequences = root["sequences"]?.integer,
            let sequence = root["sequence"]?.integer, sequence > 0, let targets = root["targets"]?.integer,
            let loss = root["loss"], let error = root["standard_error"], let inner = root["bins"],
            let losses = inner["losses"]?.elements, let errors = inner["standard_errors"]?.elements,
            let counts = inner["targets"]?.elements
        else { return nil }
        let bins = PositionBins(sequence: sequence)
        guard inner["tokens"]?.integer == bins.width,
            [losses.count, errors.count, counts.count]
                == .init(
                    repeating: bins.count, count: 3)
        else { return nil }
        self.init(
            step: step, sequences: sequences, bins: bins,
            all: MeanLoss(mean: loss.number ?? .nan, standardError: error.number, targets: targets),
            losses: losses.indices.map {
                MeanLoss(
                    mean: losses[$0].number ?? .nan, standardError: errors[$0].number, targets: counts[$0].integer ?? 0)
            })
    }
}

/// The losses of an evaluation while it goes on, a piece after the other.
package struct PositionLossSums: Sendable {
    private let batches: [Batch]
    private let bins: PositionBins
    /// Of all token losses in nats.
    private var loss = 0.0
    /// By replica [sequences, bins].
    private var sums: [[Double]]

    /// - Parameter batches: all sequences to evaluate, by replica
    package init(_ batches: [Batch]) {
        self.batches = batches
        bins = PositionBins(sequence: batches[0].length)
        sums = batches.map { _ in [] }
    }

    /// Adds the next sequences of every replica.
    package mutating func add(_ piece: EvaluationSums) {
        loss += piece.loss
        for (replica, values) in piece.positions.enumerated() { sums[replica] += values }
    }

    /// - Parameter step: steps that the model was trained
    package func losses(step: Int) -> PositionLosses {
        let count = bins.count
        // Replica after replica: the order of the sequences, whatever the number of replicas.
        let rows = sums.flatMap { $0 }
        let sequences = rows.count / count
        var targets = [Int](repeating: 0, count: rows.count)
        for (i, target) in batches.flatMap(\.targets).enumerated() where target >= 0 {
            targets[i / bins.sequence * count + bins.bin(of: i % bins.sequence)] += 1
        }
        func mean(_ chosen: (_ sequence: Int) -> [Int]) -> MeanLoss {
            let places = (0..<sequences).map(chosen)
            return MeanLoss(
                sums: places.map { $0.reduce(0) { $0 + rows[$1] } },
                targets: places.map { $0.reduce(0) { $0 + targets[$1] } })
        }
        let all = mean { Array($0 * count..<($0 + 1) * count) }
        let counted = (0..<sequences).count { sequence in
            targets[sequence * count..<(sequence + 1) * count].contains { $0 > 0 }
        }
        return PositionLosses(
            step: step, sequences: counted, bins: bins,
            // The sum in the order in which the loss has always been formed.
            all: MeanLoss(
                mean: loss / Double(max(1, all.targets)), standardError: all.standardError, targets: all.targets),
            losses: (0..<count).map { bin in mean { [$0 * count + bin] } })
    }
}
