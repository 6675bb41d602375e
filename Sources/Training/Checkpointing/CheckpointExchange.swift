import Checkpoints
import Corpora
import Files
import Foundation
import Model
import Pipeline

/// Between checkpoints and plain model files, whose tensors have the reference implementation's names.
package enum CheckpointExchange {
    /// Writes the parameters of a checkpoint, each of its files checked first, to one safetensors file such as a
    /// finished run leaves.
    /// - Returns: the parameters' digest, as `gecko train` prints it
    package static func export(_ manifest: Manifest, of store: CheckpointStore, to path: String) throws -> String {
        if let doubt = manifest.doubt {
            throw ModelFileError("\(store.path(manifest.step)) is no model: \(doubt). Choose another --step")
        }
        for file in manifest.files { try store.verify(file, step: manifest.step) }
        var configuration = try RunConfiguration.parse(
            toml: manifest.configuration, file: store.manifestPath(manifest.step))
        configuration.useOneRank()
        let source = CheckpointSource(manifest.files.map { "\(store.path(manifest.step))/\($0.name)" })
        let pipeline = try PipelinePlan(try configuration.validated(world: nil))
        let original = try RunConfiguration.parse(toml: manifest.configuration, file: "the manifest")
        let writer = try ModelFile.Writer(path: path, pipeline: pipeline, configuration: original)
        for spec in pipeline.savedParameters {
            try source.withTensor(spec.name, shape: spec.shape) { try writer.take(spec, bytes: $0) }
        }
        return try writer.finish()
    }

    /// Makes the checkpoint of step 0 from a plain model file: the beginning of the run that the configuration
    /// describes.
    /// - Returns: the run's folder
    package static func `import`(
        _ file: String, configurationFile: String?, configuration: RunConfiguration
    ) throws -> String {
        var configuration = configuration
        let path = RunDirectory.resolve(configuration.run.directory, configurationFile: configurationFile, now: Date())
        configuration.runPath = path
        let plan = try TrainingPlan(configuration)
        let store = CheckpointSettings(configuration, run: path).store
        guard !RunDirectory(path).holdsRun, try store.entries().isEmpty else {
            throw FileError(
                path: path, operation: "import a model into this folder",
                reason: "it already holds a run; give another run.directory")
        }
        let model = try SafetensorsFile(file)
        let specs = plan.pipeline.savedParameters
        try checkNames(model, specs)
        try model.checkFinite()
        let name = PartName.parameters(0)
        let directory = try RunDirectory(continuing: path)
        let identity = try RunIdentity(in: directory) ?? RunIdentity(replacing: nil)
        try identity.write(in: directory)
        try Folder.make(store.directory)
        try store.begin(0)
        let moments = specs.flatMap { spec in
            [StateName.firstMoment(spec.name), StateName.secondMoment(spec.name)].map {
                SafetensorsWriter.Declaration($0, .float32, spec.shape)
            }
        }
        let writer = try SafetensorsWriter(
            "\(store.path(0))/\(name)", specs.map { .init($0.name, .float32, $0.shape) } + moments,
            metadata: ["format": "gecko.checkpoint", "step": "0", "rank": "0"])
        for spec in specs { try model.withBytes(spec.name) { try writer.write(spec.name, $0) } }
        for moment in moments {
            try writer.write(moment.name, [Float](repeating: 0, count: moment.shape.reduce(1, *)))
        }
        let (size, sha256) = try writer.finish()
        guard let sha256 else { preconditionFailure("tensors are written in the order of the file") }
        guard let text = try CorpusRecord(reading: plan.corpus) else {
            preconditionFailure("nothing stops the reading")
        }
        var manifest = Manifest(
            plan, .init(step: 0, skipped: 0, skippedInARow: 0), corpus: text.name, run: identity.owner(directory).run)
        manifest.files = [.init(name: name, rank: 0, size: size, sha256: sha256)]
        try store.commit(manifest)
        return path
    }

    private static func checkNames(_ model: SafetensorsFile, _ specs: [ParameterSpec]) throws {
        let missing = specs.filter { !model.contains($0.name) }.map(\.name)
        guard missing.isEmpty else {
            throw ModelFileError(
                "\(model.path) lacks \(missing.count) of this model's \(specs.count) tensors, such as '\(missing[0])': "
                    + "is the [model] section that of the file?")
        }
        for spec in specs { try model.requireFloats(spec.name, shape: spec.shape) }
        let known = Set(specs.map(\.name))
        let others = model.names.filter { !known.contains($0) }
        guard others.isEmpty else {
            throw ModelFileError(
                "\(model.path) has \(others.count) tensors that this model hasn't, such as '\(others[0])': is the "
                    + "[model] section that of the file?")
        }
    }
}

extension PipelinePlan {
    /// The tensors that files hold, in the model's order.
    var savedParameters: [ParameterSpec] {
        (0...lastStage).flatMap { blocks(of: $0).flatMap(\.parameters) }.filter { $0.copyOf == nil }
    }
}

extension Manifest {
    /// Without files.
    init(_ plan: TrainingPlan, _ position: Checkpointer.Position, corpus: String, run: Run? = nil) {
        let p = plan.pipeline
        self.init(
            progress: Progress(
                step: position.step, optimizerStep: position.step - position.skipped, skipped: position.skipped,
                skippedInARow: position.skippedInARow, sequences: position.step * plan.configuration.training.batch),
            corpus: corpus, seed: plan.configuration.training.seed,
            layout: .init(
                stages: p.lastStage + 1, replicas: p.replicas, schedule: p.table.name, layers: p.partition.counts),
            configuration: plan.configuration.toml(), created: Int(Date().timeIntervalSince1970))
        self.run = run
        program = Program.name
        library = p.matrices.library
    }
}
