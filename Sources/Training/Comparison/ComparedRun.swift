import Figures
import Checkpoints
import Files
import Model
import Simulation

/// A run as it is compared: what its folder says. Nothing is changed there.
package struct ComparedRun: Sendable {
    package enum State: Sendable, Equatable {
        case finished
        /// A process is at it.
        case running
        case unfinished
    }

    /// A step on the way.
    package struct Point: Sendable, Equatable {
        package let tokens: Int
        /// Of all steps so far; evaluations and saving aren't counted.
        package let seconds: Double
        /// Training loss in nats.
        package let loss: Double
    }

    /// As it was given.
    package let path: String
    package let configuration: RunConfiguration
    package let state: State
    /// The last step.
    package let step: Int
    package let tokens: Int
    package let points: [Point]
    /// The median of the steps.
    package let tokensPerSecond: Double
    /// The most bytes of a process; nil in records of old versions.
    package let peakMemory: Int?
    /// Of the newest evaluation, in nats.
    package let heldOutLoss: Double?
    /// The same over positions; nil in folders of old versions.
    package let positions: PositionLosses?

    /// Everything given, for what is worked out of runs.
    package init(
        path: String, configuration: RunConfiguration, state: State, steps: [StepMetrics], positions: PositionLosses?
    ) {
        self.path = path
        self.configuration = configuration
        self.state = state
        self.positions = positions
        step = steps.last?.step ?? 0
        tokens = steps.last?.tokens ?? 0
        peakMemory = steps.compactMap(\.peakMemory).max()
        heldOutLoss = positions?.all.mean ?? steps.last { $0.heldOutLoss != nil }?.heldOutLoss
        var rates = ThinnedSample()
        var seconds = 0.0
        var before = 0
        var points: [Point] = []
        for metrics in steps {
            rates.add(metrics.tokensPerSecond)
            // Of a long run some steps are read: each stands for those before it.
            seconds += metrics.seconds * Double(metrics.step - before)
            before = metrics.step
            guard metrics.loss.isFinite else { continue }
            points.append(Point(tokens: metrics.tokens, seconds: seconds, loss: metrics.loss))
        }
        tokensPerSecond = rates.median
        self.points = points
    }

    /// Reads a run's folder.
    /// - Throws: `FileError` where it holds no run, or none that has come to a step
    package init(_ path: String) throws {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        func refuse(_ reason: String) -> FileError { FileError(path: path, operation: "compare it", reason: reason) }
        guard Folder.isFolder(path) else {
            throw refuse(
                Folder.size(ofFile: path) == nil
                    ? "there is no such folder: give the folders of runs (run.directory)"
                    : "it is a file: give the folders of runs (with --fair, configuration files)")
        }
        let directory = RunDirectory(path)
        guard Folder.size(ofFile: directory.configuration) != nil else {
            throw refuse("it is no run's folder: it has no config.toml, which gecko train writes when a run begins")
        }
        guard let metrics = try MetricsFile(directory.metrics), metrics.size > 0 else {
            throw refuse("the run there has done no step yet: it has no metrics.jsonl")
        }
        let steps = try metrics.sample(upTo: metrics.size)
        guard !steps.isEmpty else { throw refuse("its metrics.jsonl has no line of a step") }
        let isRunning = if case .process = RunLock.holder(of: path) { true } else { false }
        self.init(
            path: path, configuration: try RunConfiguration.load(file: directory.configuration, overrides: []),
            state: isRunning ? .running : directory.isFinished ? .finished : .unfinished, steps: steps,
            positions: try PositionLosses(file: directory.positions))
    }

    package var model: any Architecture { configuration.resolvedModel }
    package var architecture: String { type(of: configuration.model).name }

    /// What is to be known of a run that isn't at its end.
    package var note: String? {
        let place = "at step \(step) of \(configuration.training.steps)"
        return switch state {
        case .finished: nil
        case .running: "\(path) is running, \(place)"
        case .unfinished: "\(path) isn't finished: it stands \(place); gecko train --resume goes on with it"
        }
    }
}
