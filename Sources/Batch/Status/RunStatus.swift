import Checkpoints
import Figures
import Files
import Foundation
import Simulation
import Training

/// How a run stands, by its folder, its lock and the queue.
package struct RunStatus: Sendable {
    package var path: String
    /// The job's number as the run's folder or the user gives it.
    package var jobNumber: String?
    /// What Slurm says of it; nil when there is none.
    package var answer: SlurmAnswer?
    /// Who has the run's lock: whether a process trains.
    package var holder: RunLock.Holder
    /// How the last turn ended; nil while one goes on, and after one that was killed.
    package var ending: RunEnding?
    /// Steps that the run is to have; nil when there is no configuration yet.
    package var steps: Int?
    /// The last steps, oldest first.
    package var recent: [StepMetrics]
    package var heldOut: StepMetrics?
    /// Seconds since the last step was written; nil when the files' clock doesn't tell.
    package var silence: Double?
    /// The newest whole checkpoint's step, seconds since it was made, and how many there are.
    package var checkpoint: (step: Int, age: Double?, count: Int)?
    /// Whether there is a model of the run's end.
    package var isFinished: Bool
    /// What of the folder couldn't be read.
    package var problems: [String] = []

    package var job: SlurmJob? { answer?.job }

    /// - Parameter job: a number that counts instead of the folder's
    package init(_ path: String, job: String? = nil) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            throw BatchError(
                FileManager.default.fileExists(atPath: path)
                    ? "\(path) is no folder: give a run's folder" : "there is no run's folder \(path)")
        }
        if let job, !SlurmJob.isNumber(job) {
            throw BatchError("--job: expected a job's number such as 42, found '\(job)'")
        }
        let (folder, directory) = (RunFolder(path), RunDirectory(path))
        jobNumber = job ?? folder.job
        guard directory.holdsRun || jobNumber != nil else {
            throw BatchError("\(path) holds no run: neither config.toml nor job.id is there")
        }
        self.path = path
        // The folder before Slurm, which may take its time: what is looked at together should belong together.
        holder = RunLock.holder(of: path)
        ending = RunEnding(of: directory)
        isFinished = directory.isFinished
        let clock = FolderClock(path)
        silence = clock.age(of: directory.metrics)
        (recent, heldOut) = ([], nil)
        do {
            if let metrics = try MetricsFile(directory.metrics) {
                (recent, heldOut) = (try metrics.last(20), try metrics.lastEvaluation())
            }
        } catch { problems.append("\(error)") }
        var configuration: RunConfiguration?
        do {
            let file = [directory.configuration, folder.configuration].first {
                FileManager.default.fileExists(atPath: $0)
            }
            configuration = try file.map { try RunConfiguration.load(file: $0, overrides: []) }
        } catch { problems.append("\(error)") }
        steps = configuration?.training.steps
        do {
            let setting = configuration?.checkpoint.directory ?? "{run}/checkpoints"
            let store = PathText.fill(setting, ["run": path])
            checkpoint = try Self.newest(CheckpointStore(store), clock)
        } catch { problems.append("\(error)") }
        answer = jobNumber.map { SlurmAnswer.ask($0) }
    }

    /// Only the newest is looked at; the others are counted.
    private static func newest(_ store: CheckpointStore, _ clock: FolderClock) throws -> (Int, Double?, Int)? {
        let steps = try Folder.contents(store.directory).compactMap { CheckpointStore.step(ofFolder: $0) }.sorted()
            .filter { Folder.size(ofFile: store.manifestPath($0)) != nil }
        guard let newest = steps.last(where: { store.entry($0).manifest != nil }) else { return nil }
        return (newest, clock.age(of: store.manifestPath(newest)), steps.count)
    }

    /// Seconds of a step and tokens a second, medians of the last steps.
    package var pace: (seconds: Double, tokensPerSecond: Double)? {
        func median(_ values: [Double]) -> Double? {
            values.filter { $0.isFinite && $0 >= 0 && $0 < 1e15 }.median
        }
        guard let seconds = median(recent.map(\.seconds)), let speed = median(recent.map(\.tokensPerSecond))
        else { return nil }
        return (seconds, speed)
    }

    /// Seconds until the last step at the present pace; nil when nobody works on it.
    package var timeLeft: Double? {
        guard let steps, let last = recent.last, let pace, isTraining, isMoving, last.step < steps else { return nil }
        return Double(steps - last.step) * pace.seconds
    }

    /// Whether steps come: the last one is not older than a few steps take.
    package var isMoving: Bool {
        // A file's time that lies ahead says nothing against it.
        guard let pace else { return false }
        guard let silence else { return true }
        return silence < max(60, 10 * pace.seconds)
    }

    /// Whether a process trains: one has the lock. A lock on another node may not be seen from here; then a job's
    /// steps count.
    package var isTraining: Bool {
        switch holder {
        case .process: true
        case .unknown: isMoving && ending == nil && job?.isAlive ?? true
        case .nobody, .dead: job?.state == "RUNNING" && ending == nil && silence != nil && isMoving
        }
    }
}
