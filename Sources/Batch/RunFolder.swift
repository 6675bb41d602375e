import Foundation

/// What submitting adds to a run's folder, by absolute paths.
package struct RunFolder: Sendable, Equatable {
    package let path: String

    package init(_ path: String) {
        self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    }

    package var script: String { path + "/job.sbatch" }
    /// The run's configuration with the layout that was planned.
    package var configuration: String { path + "/job.toml" }
    /// The number of the job that was submitted last.
    package var jobNumber: String { path + "/job.id" }
    /// A core's speed as it was measured for the plan.
    package var speed: String { path + "/job.speed" }
    package var jobLog: String { path + "/job.log" }
    /// A log for each rank.
    package var logs: String { path + "/logs" }

    /// The number of the job, if one was submitted.
    package var job: String? {
        guard let text = try? String(contentsOfFile: jobNumber, encoding: .utf8) else { return nil }
        let number = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return SlurmJob.isNumber(number) ? number : nil
    }
}
