import Checkpoints
import Corpora

extension CorpusExclusions {
    /// What this run writes, wherever its configuration puts it, and what other runs have left.
    init(_ configuration: RunConfiguration) {
        let run = configuration.runPath
        let settings = CheckpointSettings(configuration, run: run)
        var own = [LeftOut(key: "run.directory", path: run)]
        if settings.isOn { own.append(LeftOut(key: "checkpoint.directory", path: settings.store.directory)) }
        if settings.localEvery > 0 {
            let ranks = max(1, configuration.pipeline.stages) * configuration.pipeline.replicas
            let folders = Set((0..<ranks).map { settings.localStore($0).directory })
            own += folders.sorted().map { LeftOut(key: "checkpoint.local_directory", path: $0) }
        }
        self.init(folders: own, isRun: Self.holdsRun)
    }

    /// A run's folder, submitted or begun; a checkpoint, whole or not.
    @Sendable private static func holdsRun(_ name: String, _ entries: Set<String>) -> Bool {
        if entries.contains("run.lock") || entries.isSuperset(of: ["config.toml", "metrics.jsonl"])
            || entries.isSuperset(of: ["job.toml", "job.sbatch"])
        {
            return true
        }
        guard CheckpointStore.step(ofFolder: name) != nil || name.hasPrefix("removing-") else { return false }
        return entries.contains { $0 == Manifest.name || $0.contains(".safetensors") }
    }
}
