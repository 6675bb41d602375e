import Checkpoints
import Files
import Model
import Pipeline

/// A model to generate with: from a model file, a finished run, or a checkpoint of one that isn't finished.
package struct TrainedModel: Sendable {
    /// As it was trained.
    package let configuration: RunConfiguration
    package let parameters: any ParameterSource & Sendable

    /// - Parameters:
    ///   - path: a run's folder, a folder of checkpoints, one of its checkpoints, or a model file
    ///   - step: of the checkpoint; nil: a finished run's model, or else the newest checkpoint that is whole
    ///   - tell: hears what is taken where that isn't plain
    package init(_ path: String, step: Int?, tell: (String) -> Void) throws {
        guard Folder.isFolder(path) else {
            try self.init(file: path, step: step)
            return
        }
        let location = try CheckpointLocation(path)
        let model = RunDirectory(path).parameters
        if step == nil, location.step == nil, Folder.size(ofFile: model) != nil {
            try self.init(file: model, step: nil)
            let (newest, steps) = ((try? location.store.newest())?.step ?? 0, configuration.training.steps)
            if newest > steps {
                tell(
                    """
                    note: \(model) is that of step \(steps); the run has gone on: --step \(newest) takes its \
                    newest checkpoint
                    """
                )
            }
            return
        }
        let manifest = try Self.choose(location, step, path, tell)
        tell("note: this is the checkpoint of step \(manifest.step), \(location.store.path(manifest.step))")
        let store = location.store
        self.init(
            try RunConfiguration.parse(toml: manifest.configuration, file: store.manifestPath(manifest.step)),
            CheckpointSource(manifest.files.map { "\(store.path(manifest.step))/\($0.name)" }))
    }

    private init(_ configuration: RunConfiguration, _ parameters: any ParameterSource & Sendable) {
        self.configuration = configuration
        self.parameters = parameters
    }

    private init(file path: String, step: Int?) throws {
        guard Folder.size(ofFile: path) != nil else {
            throw ModelFileError(
                """
                \(path): there is no such file or folder: give a run's directory, one of its checkpoints, or a \
                model.safetensors
                """
            )
        }
        guard step == nil else {
            throw ModelFileError("--step chooses among a run's checkpoints, but \(path) is a file")
        }
        let file = try SafetensorsFile(path)
        guard file.metadata["format"] != "gecko.checkpoint" else {
            throw ModelFileError(
                "\(path) is one rank's part of a checkpoint: give the checkpoint, \(Folder.parent(of: path))")
        }
        self.init(try ModelFile.configuration(of: file), ModelFile.Source(file))
    }

    /// A checkpoint whose files are all whole and finite.
    private static func choose(
        _ location: CheckpointLocation, _ asked: Int?, _ path: String, _ tell: (String) -> Void
    ) throws -> Manifest {
        let store = location.store
        if let step = asked ?? location.step {
            let manifest = try location.manifest(step: step)
            if let doubt = manifest.doubt {
                throw ModelFileError("\(store.path(step)) is not usable: \(doubt). Choose another --step")
            }
            for file in manifest.files { try store.verify(file, step: step) }
            return manifest
        }
        let entries = try store.entries()
        for manifest in entries.reversed().compactMap(\.manifest) {
            do {
                if let doubt = manifest.doubt { throw ModelFileError(doubt) }
                for file in manifest.files { try store.verify(file, step: manifest.step) }
                return manifest
            } catch {
                tell("warning: the checkpoint of step \(manifest.step) cannot be used: \(error)")
            }
        }
        throw ModelFileError(
            entries.isEmpty
                ? """
                \(path) holds neither a model.safetensors, which a run writes at its end, nor checkpoints: let the \
                run come to its first checkpoint
                """
                : "none of the checkpoints in \(store.directory) can be used")
    }
}

extension CheckpointSource: ParameterSource {
    package func copy(_ spec: ParameterSpec, into values: UnsafeMutableBufferPointer<Float>) throws {
        try withTensor(spec.name, shape: spec.shape) {
            UnsafeMutableRawBufferPointer(values).copyMemory(from: $0)
        }
    }
}
