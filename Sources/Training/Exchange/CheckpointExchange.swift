import Checkpoints
import Corpora
import Files
import Foundation
import Model
import Pipeline

/// Between checkpoints and models outside of runs: plain files, whose tensors have the reference implementation's
/// names, and folders as other programs keep them.
package enum CheckpointExchange {
    /// Where an export goes.
    package enum Target {
        /// One safetensors file such as a finished run leaves.
        case file(String)
        /// A folder in the form of this name that the architecture has.
        case folder(String, form: String)
        /// One safetensors file as the architecture's published code has it.
        case official(String)
    }

    /// Writes the parameters of a checkpoint, each of its files checked first.
    /// - Returns: the parameters' digest, as `gecko train` prints it
    package static func export(_ manifest: Manifest, of store: CheckpointStore, to target: Target) throws -> String {
        if let doubt = manifest.doubt {
            throw ModelFileError("\(store.path(manifest.step)) is no model: \(doubt). Choose another --step")
        }
        var configuration = try RunConfiguration.parse(
            toml: manifest.configuration, file: store.manifestPath(manifest.step))
        let original = configuration
        let form: ForeignForm? =
            if case .folder(_, let name) = target {
                try ForeignFolder.form(name, of: type(of: configuration.model))
            } else { nil }
        if case .official = target { _ = try OfficialFile.form(of: type(of: configuration.model)) }
        for file in manifest.files { try store.verify(file, step: manifest.step) }
        configuration.useOneRank()
        let source = CheckpointSource(manifest.files.map { "\(store.path(manifest.step))/\($0.name)" })
        let pipeline = try PipelinePlan(try configuration.validated(world: nil))
        let writer: any ModelWriter
        switch (target, form) {
        case (.folder(let path, _), let form?):
            writer = try ForeignFolder.Writer(path: path, form: form, pipeline: pipeline, configuration: original)
        case (.official(let path), _): writer = try OfficialFile.Writer(path: path, pipeline: pipeline)
        case (.file(let path), _), (.folder(let path, _), nil):
            writer = try ModelFile.Writer(path: path, pipeline: pipeline, configuration: original)
        }
        for spec in pipeline.savedParameters {
            try source.withTensor(spec.name, shape: spec.shape) { try writer.take(spec, bytes: $0) }
        }
        return try writer.finish()
    }

    /// What a path leads to: a folder of another program's, or a plain file.
    package static func model(at path: String) throws -> any ModelToImport {
        Folder.isFolder(path) ? try ForeignFolder(path) : try PlainModel(path)
    }

    /// Makes the checkpoint of step 0 from a model: the beginning of the run that the configuration describes.
    ///
    /// - Parameter given: as `model.configuration` gave it, not yet resolved
    /// - Returns: the run's folder, and the file in it that says what the run is, where none that was given does
    package static func `import`(
        _ model: any ModelToImport, configurationFile: String?, configuration given: RunConfiguration
    ) throws -> (path: String, configuration: String?) {
        var configuration = try given.validated(world: nil)
        let path = RunDirectory.resolve(configuration.run.directory, configurationFile: configurationFile, now: Date())
        configuration.runPath = path
        let plan = try TrainingPlan(configuration)
        let store = CheckpointSettings(configuration, run: path).store
        guard !RunDirectory(path).holdsRun, try store.entries().isEmpty else {
            throw FileError(
                path: path, operation: "import a model into this folder",
                reason: "it already holds a run; give another run.directory")
        }
        try model.check(plan.pipeline.savedParameters, of: plan.pipeline.model)
        let directory = try RunDirectory(continuing: path)
        let identity = try RunIdentity(in: directory) ?? RunIdentity(replacing: nil)
        try identity.write(in: directory)
        let file = model.describesItself ? directory.imported : nil
        if let file {
            var kept = given
            kept.runPath = path
            try SmallFile.write(kept.toml(), to: file)
        }
        try Folder.make(store.directory)
        try store.begin(0)
        let part = try write(model, plan, to: "\(store.path(0))/\(PartName.parameters(0))")
        guard let text = try CorpusRecord(reading: plan.corpus) else {
            preconditionFailure("nothing stops the reading")
        }
        var manifest = Manifest(
            plan, .init(step: 0, skipped: 0, skippedInARow: 0), corpus: text.name, run: identity.owner(directory).run)
        manifest.files = [
            .init(name: PartName.parameters(0), rank: 0, size: part.size, sha256: part.sha256)
        ]
        try store.commit(manifest)
        return (path, file)
    }

    /// The parameters, and moments that are zero.
    private static func write(
        _ model: any ModelToImport, _ plan: TrainingPlan, to path: String
    ) throws -> (size: Int, sha256: String) {
        let specs = plan.pipeline.savedParameters
        let moments = specs.flatMap { spec in
            [StateName.firstMoment(spec.name), StateName.secondMoment(spec.name)].map {
                SafetensorsWriter.Declaration($0, .float32, spec.shape)
            }
        }
        let writer = try SafetensorsWriter(
            path, specs.map { .init($0.name, .float32, $0.shape) } + moments,
            metadata: ["format": "gecko.checkpoint", "step": "0", "rank": "0"])
        try model.visit(specs, of: plan.pipeline.model) { try writer.write($0.name, $1) }
        for moment in moments {
            try writer.write(moment.name, [Float](repeating: 0, count: moment.shape.reduce(1, *)))
        }
        let (size, sha256) = try writer.finish()
        guard let sha256 else { preconditionFailure("tensors are written in the order of the file") }
        return (size, sha256)
    }
}

/// What takes the parameters of a model, all of them, in the model's order.
protocol ModelWriter {
    func take(_ spec: ParameterSpec, bytes: UnsafeRawBufferPointer) throws
    /// Makes all of it durable and returns the digest of our parameters in hexadecimal.
    func finish() throws -> String
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
