import Files
import Hardware
import Pipeline

/// Runs side by side.
package struct RunComparison: Sendable {
    package let groups: [RunGroup]
    package let differences: ConfigurationDifferences

    /// - Throws: `FileError` for a folder that holds no run
    package init(_ paths: [String]) throws { self.init(try paths.map { try ComparedRun($0) }) }

    package init(_ runs: [ComparedRun]) {
        groups = RunGroup.all(runs)
        differences = ConfigurationDifferences(groups)
    }

    /// What is to be known of runs that aren't at their end.
    package var notes: [String] { groups.flatMap(\.runs).compactMap(\.note) }

    /// The folder of the run whose held-out loss is least; the first of equal ones.
    /// - Throws: `ComparisonError` where a run isn't finished, or has none
    package func best() throws -> String {
        let runs = groups.flatMap(\.runs)
        if let note = runs.compactMap(\.note).first {
            throw ComparisonError("which run is the best isn't known yet: \(note)")
        }
        let losses = try runs.map { run in
            guard let loss = run.heldOutLoss else {
                throw ComparisonError(
                    "\(run.path) has no held-out loss: with data.held_out above 0 a run ends with one")
            }
            return (run.path, loss.isNaN ? .infinity : loss)
        }
        guard let best = losses.min(by: { $0.1 < $1.1 }) else { throw ComparisonError("there is no run to choose") }
        return best.0
    }
}

package struct ComparisonError: Error, CustomStringConvertible, Sendable {
    package let description: String
    init(_ description: String) { self.description = description }
}

/// Stretches of a sequence for a table of few columns.
enum PositionStretches {
    /// Of the bins of a sequence: the last half, a half of what is before, and so on; the first of the five is all
    /// that is left.
    static func of(_ bins: PositionBins) -> [Range<Int>] {
        var bounds = [bins.count]
        while bounds.count < 5, let last = bounds.last, last > 1 { bounds.append((last + 1) / 2) }
        bounds.append(0)
        return zip(bounds.dropFirst(), bounds).map { $0..<$1 }.reversed()
    }
}
