import Foundation

/// A mean over seeds.
package struct SeedMean: Sendable, Equatable {
    package let mean: Double
    /// Standard deviation over the seeds; nil of one.
    package let deviation: Double?
    package let count: Int

    /// Nil of nothing.
    package init?(_ values: [Double]) {
        guard !values.isEmpty else { return nil }
        count = values.count
        let mean = values.reduce(0, +) / Double(count)
        self.mean = mean
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        deviation = count > 1 ? (squares / Double(count - 1)).squareRoot() : nil
    }
}

/// Runs that differ in nothing but their seed and their folder: a row of the table, a curve of the picture.
package struct RunGroup: Sendable {
    package let name: String
    package let runs: [ComparedRun]

    package var first: ComparedRun { runs[0] }

    /// Keys in which the runs of a group may differ.
    static let free = ["training.seed", "run.directory"]

    /// In the order in which their first runs are given.
    package static func all(_ runs: [ComparedRun]) -> [RunGroup] {
        var groups: [[ComparedRun]] = []
        for run in runs {
            if let group = groups.firstIndex(where: { areSeeds(run, $0[0]) }) {
                groups[group].append(run)
            } else {
                groups.append([run])
            }
        }
        let names = groups.map(name)
        return groups.indices.map { i in
            // Folders of one name are told apart by where they are.
            let isUnique = names.count { $0 == names[i] } == 1
            return RunGroup(name: isUnique ? names[i] : groups[i][0].path, runs: groups[i])
        }
    }

    private static func areSeeds(_ a: ComparedRun, _ b: ComparedRun) -> Bool {
        guard a.architecture == b.architecture else { return false }
        return a.configuration.keys.all.allSatisfy { key in
            free.contains(key.qualifiedName) || key.value(in: a.configuration) == key.value(in: b.configuration)
        }
    }

    /// What the names of the runs' folders have in common, without their seeds: "gecko" of "gecko-1" and "gecko-2".
    private static func name(_ runs: [ComparedRun]) -> String {
        let names = runs.map { run in
            let name = run.path.split(separator: "/").last.map(String.init) ?? run.path
            let seed = "-\(run.configuration.training.seed)"
            return name.hasSuffix(seed) && name.count > seed.count ? String(name.dropLast(seed.count)) : name
        }
        let common = names.dropFirst().reduce(names[0]) { $0.commonPrefix(with: $1) }
        let separators = "-_."
        // "o" of "one" and "other" is no name.
        let endsAtAWord = names.allSatisfy { name in
            let next = name.dropFirst(common.count).first
            return next.map { separators.contains($0) || $0.isNumber } ?? true
        }
        guard endsAtAWord || common.last.map({ separators.contains($0) }) == true else { return names[0] }
        let trimmed = common.reversed().drop { separators.contains($0) }.reversed()
        return trimmed.isEmpty ? names[0] : String(trimmed)
    }

    package var heldOutLoss: SeedMean? { SeedMean(runs.compactMap(\.heldOutLoss)) }
    package var tokensPerSecond: Double { runs.map(\.tokensPerSecond).sorted()[runs.count / 2] }
    package var peakMemory: Int? { runs.compactMap(\.peakMemory).max() }
    package var tokens: Int { runs.map(\.tokens).min() ?? 0 }

    /// The held-out loss over a part of the sequence, each bin counting as its targets do.
    package func heldOutLoss(bins: Range<Int>) -> SeedMean? {
        SeedMean(
            runs.compactMap(\.positions).compactMap { positions in
                let chosen = positions.losses[bins].filter { $0.targets > 0 }
                let targets = chosen.reduce(0) { $0 + $1.targets }
                guard targets > 0 else { return nil }
                return chosen.reduce(0) { $0 + $1.mean * Double($1.targets) } / Double(targets)
            })
    }
}
