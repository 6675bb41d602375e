import Checkpoints
import Corpora
import Figures
import Files
import Glibc
import Hardware
import Model
import Pipeline
import Simulation

// What a run does with its results.
extension Trainer {
    /// A picture and figures of the last steps. They are no reason to lose the run.
    func saveTrace(first: Int, begin: Int) async throws {
        let steps = configuration.training.steps - first
        let title =
            """
            \(plan.pipeline.table.name), \(plan.pipeline.ranks) stages x \(plan.pipeline.replicas) replicas, last \
            \(steps) steps
            """
        guard let timeline = try await group.endTrace(title: title), let directory else { return }
        do {
            try SmallFile.write(TimelineSVG(timeline, showsMessages: true).text, to: directory.timeline)
            try SmallFile.write(PerfettoTrace(timeline).text, to: directory.trace)
            try SmallFile.write(plan.pipeline.table.text, to: directory.schedule)
            guard first > begin else {
                say("no costs.json: the only step is a warm-up")
                return
            }
            let costs = try CostMeasurement(timeline, of: plan.pipeline, on: host)
            try SmallFile.write(costs.file(of: plan.pipeline, on: host).json, to: directory.costs)
        } catch let error as FileError {
            warn("\(error). Training goes on")
        }
    }

    /// A signal cuts it short: the run is at its end, and what is left is to save it.
    func sample() async throws {
        let training = configuration.training
        guard training.sampleTokens > 0 else { return }
        let prompt = ByteVocabulary.encode(training.samplePrompt, packed: configuration.data.packed)
        guard !prompt.isEmpty else { return }
        try Fault.reach(.sample, step: training.steps, rank: group.ranks[0])
        let tokens = try await group.generate(
            prompt: prompt, count: training.sampleTokens, temperature: training.sampleTemperature,
            seed: UInt64(training.seed), isStopped: { StopRequests.first != 0 })
        guard group.isRoot else { return }
        say("\nsample, continuing the prompt in brackets:")
        say("[\(training.samplePrompt)]\(ByteDecoder.text(tokens).withVisibleControls)\n")
    }

    /// Writes the model; the last line that it prints is the parameters' digest.
    /// - Throws: `TrainingError` on all ranks where that fails
    func save(_ settings: CheckpointSettings) async throws {
        let (plan, place) = (plan, place)
        let result = try await group.collectParameters {
            ModelSink {
                try Fault.reach(.saveModel, step: plan.configuration.training.steps, rank: 0)
                try place?.folder.check()
                return try ModelFile.Writer(
                    path: place?.directory.parameters ?? "", pipeline: plan.pipeline,
                    configuration: plan.configuration)
            }
        } finish: { sink in
            sink.finish().mapError { place?.folder.cause(of: $0) ?? $0 }
        }
        let isSaved = try await askRoot {
            if case .success? = result { true } else { false }
        }
        switch result {
        case .success(let digest)? where isSaved: say("parameters sha256 \(digest)")
        case .failure(let error as NotFiniteError)?: throw unusable("\(error)", settings)
        case .failure(let error)?: throw unsaved(error, settings)
        default: if !isSaved { throw TrainingError("the end of the run is not saved") }
        }
    }

    /// The run has come to its end, but to no model.
    func unusable(_ reason: String, _ settings: CheckpointSettings) -> TrainingError {
        let newest = (try? settings.store.newest())?.step
        let goesOn =
            newest.map {
                "The newest checkpoint, of step \($0), is finite: from there the run can go on"
                    + ($0 >= configuration.training.steps ? " with more training.steps" : "")
            } ?? "There is no checkpoint to go on from: begin anew"
        return TrainingError(
            "the model is not usable and is not written: \(reason). \(goesOn). Lower optimizer.learning_rate, lengthen "
                + "optimizer.warmup, or set optimizer.clip")
    }

    /// A run that goes on from a state that was saved while it diverged would come to the same end again and again.
    func doubtful(_ start: Manifest?, _ settings: CheckpointSettings) -> String {
        guard let start, let doubt = start.doubt else { return "" }
        return
            ". It went on from the checkpoint of step \(start.step), of which \(doubt): remove "
            + "\(settings.store.path(start.step)) to go on from the one before"
    }

    /// The model could not be written.
    private func unsaved(_ error: any Error, _ settings: CheckpointSettings) -> TrainingError {
        let steps = configuration.training.steps
        let newest = (try? settings.store.newest())?.step
        var text = "the end of the run is not saved: \(error). "
        if (error as? FileError)?.isAboutRoom == true {
            let model = plan.pipeline.savedParameters.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride
            // A checkpoint has two moments beside each parameter.
            let needed = model + (newest == steps ? 0 : 3 * model) + (1 << 20)
            text += "Free \(needed.asShortBytes)"
            if let free = Self.free(path) { text += " (\(free.asShortBytes) are free now)" }
            text += ", and start the same command again: "
        } else {
            text += "Mend that, and start the same command again: "
        }
        switch newest {
        case steps?: text += "only the end is done again"
        case let step?: text += "it goes on after step \(step)"
        case nil: text += "it begins at step 0, since no checkpoint was saved (checkpoint.every, checkpoint.directory)"
        }
        return TrainingError(text)
    }

    /// Bytes that a folder's file system has left for this user.
    private static func free(_ folder: String) -> Int? {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }
}

/// Takes tensors to the end whatever happens, so that no rank waits for one that has failed.
private final class ModelSink: ParameterSink {
    private var state: Result<ModelFile.Writer, any Error>

    init(_ make: () throws -> ModelFile.Writer) { state = Result(catching: make) }

    func take(_ spec: ParameterSpec, _ values: UnsafeBufferPointer<Float>) {
        guard case .success(let writer) = state else { return }
        do { try writer.take(spec, values) } catch { state = .failure(error) }
    }

    func finish() -> Result<String, any Error> {
        state.flatMap { writer in Result { try writer.finish() } }
    }
}
