/// What a run asks of Slurm.
package struct SlurmRequest: Sendable {
    package var nodes: Int
    /// The limit, as Slurm writes times.
    package var time: String
    /// Seconds before the limit at which the ranks are told to save.
    package var warning: Int
    /// Further options of sbatch, one each.
    package var options: [String]

    package init(nodes: Int, time: String, warning: Int, options: [String] = []) {
        self.nodes = nodes
        self.time = time
        self.warning = warning
        self.options = options
    }

    /// The most that Slurm takes for --signal.
    private static let longestWarning = 65_535

    func check() throws {
        guard let limit = SlurmTime.seconds(time), limit > 0 else {
            throw BatchError(
                "--time: expected a time as Slurm takes it, such as 12:00:00, 1-00:00:00 or 90 (minutes), "
                    + "found '\(time)'"
            )
        }
        guard (1...Self.longestWarning).contains(warning) else {
            throw BatchError(
                "--warning: expected 1 to \(Self.longestWarning) s, which is the most that Slurm takes, "
                    + "found \(warning)"
            )
        }
        guard warning < limit else {
            throw BatchError("--warning: \(warning) s before a limit of \(limit) s leave no time to train")
        }
    }
}
