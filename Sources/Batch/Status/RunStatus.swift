import Checkpoints
import Files
import Foundation
import Training

/// How a run stands, by its folder and the queue.
package struct RunStatus: Sendable {
    package var path: String
    package var job: SlurmJob?
    /// The job's number as the run's folder or the user gives it.
    package var jobNumber: String?
    /// Steps that the run is to have; nil when there is no configuration yet.
    package var steps: Int?
    /// The last steps, oldest first.
    package var recent: [StepMetrics]
    package var heldOut: StepMetrics?
    /// Seconds since the last step was written.
    package var silence: Double?
    /// The newest whole checkpoint's step, seconds since it was made, and how many there are.
    package var checkpoint: (step: Int, age: Double, count: Int)?
    package var isFinished: Bool

    /// Steps from whose median the pace is taken.
    private static let window = 20

    /// - Parameter job: a number that counts instead of the folder's
    package init(_ path: String, job: String? = nil, now: Date = Date()) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            throw BatchError("there is no run's folder \(path)")
        }
        let (folder, directory) = (RunFolder(path), RunDirectory(path))
        jobNumber = job ?? folder.job
        guard directory.holdsRun || jobNumber != nil else {
            throw BatchError("\(path) holds no run: neither config.toml nor job.id is there")
        }
        self.path = path
        self.job = jobNumber.flatMap(SlurmJob.ask)
        isFinished = directory.isFinished
        let file = [directory.configuration, folder.configuration].first { FileManager.default.fileExists(atPath: $0) }
        let configuration = try file.map { try RunConfiguration.load(file: $0, overrides: []) }
        steps = configuration?.training.steps
        (recent, heldOut) = try Self.metrics(directory.metrics)
        let attributes = try? FileManager.default.attributesOfItem(atPath: directory.metrics)
        silence = (attributes?[.modificationDate] as? Date).map { max(0, now.timeIntervalSince($0)) }
        let store = (configuration?.checkpoint.directory ?? "{run}/checkpoints").replacing("{run}", with: path)
        let whole = try CheckpointStore(store).entries().compactMap(\.manifest)
        checkpoint = whole.last.map {
            ($0.step, max(0, now.timeIntervalSince1970 - Double($0.created)), whole.count)
        }
    }

    private static func metrics(_ path: String) throws -> ([StepMetrics], StepMetrics?) {
        guard let file = try MetricsFile(path) else { return ([], nil) }
        return (try file.last(window), try file.lastEvaluation())
    }

    /// Seconds of a step and tokens a second, medians of the last steps.
    package var pace: (seconds: Double, tokensPerSecond: Double)? {
        guard !recent.isEmpty else { return nil }
        func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
        return (median(recent.map(\.seconds)), median(recent.map(\.tokensPerSecond)))
    }

    /// Seconds until the last step at the present pace; nil when nobody works on it.
    package var timeLeft: Double? {
        guard let steps, let last = recent.last, let pace, !isFinished, job?.isAlive ?? isMoving else { return nil }
        return Double(max(0, steps - last.step)) * pace.seconds
    }

    /// Whether steps come: the last one is not older than a few steps take.
    package var isMoving: Bool {
        guard let silence, let pace else { return false }
        return silence < max(60, 10 * pace.seconds)
    }
}
