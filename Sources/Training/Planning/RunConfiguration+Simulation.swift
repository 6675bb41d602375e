import Files
import Foundation
import Schedules
import Simulation

extension RunConfiguration {
    /// What a simulation of a run's step takes from its configuration.
    package struct Step: Sendable {
        package let ranks: Int
        /// The configuration leaves the number of stages to the launcher.
        package let leavesRanksOpen: Bool
        package let virtualStages: Int?
        package let sequences: Int
        package let slices: Int
        /// A schedule's name or file.
        package let schedule: String
        package let cap: String?
        package let recompute: Bool
        package let layers: Int
        /// Costs that the run left, that were profiled for it, or that it names.
        package let costs: String?
    }

    /// Reads the configuration of a run that may not have begun.
    ///
    /// - Parameters:
    ///   - path: of the configuration, or of a run's folder
    ///   - ranks: of the pipeline, in place of what the configuration says
    /// - Throws: `ConfigurationError` for what training would refuse, too
    package static func step(of path: String, ranks: Int?) throws -> Step {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let file = isThere && isFolder.boolValue ? RunDirectory(path).configuration : path
        var configuration = try load(file: file, overrides: [])
        let folder =
            isThere && isFolder.boolValue
            ? path : RunDirectory.resolve(configuration.run.directory, configurationFile: file, now: Date())
        if configuration.data.path.isEmpty { configuration.data.path = "-" }
        if let ranks, ranks != configuration.pipeline.stages {
            configuration.pipeline.stages = ranks
            if case .explicit = configuration.pipeline.layers { configuration.pipeline.layers = .balanced }
        }
        let leavesRanksOpen = configuration.pipeline.stages == 0 && configuration.pipeline.layers.isOpen
        let resolved = try configuration.validated(world: nil)
        let pipeline = resolved.pipeline
        return Step(
            ranks: pipeline.stages, leavesRanksOpen: leavesRanksOpen,
            virtualStages: pipeline.virtual == 0 ? nil : pipeline.virtual,
            sequences: resolved.training.batch / pipeline.replicas, slices: resolved.data.sequence / pipeline.slice,
            schedule: pipeline.schedule, cap: pipeline.cap.isEmpty ? nil : pipeline.cap,
            recompute: pipeline.recompute, layers: resolved.model.layers,
            costs: costs(folder: folder, file: file, named: pipeline.costs))
    }

    private static func costs(folder: String, file: String, named: String) -> String? {
        let found = [RunDirectory(folder).costs, profiledCosts(of: file)].first {
            FileManager.default.fileExists(atPath: $0)
        }
        return found ?? (named.isEmpty ? nil : named)
    }

    /// Where `gecko profile` puts the costs of a configuration if it isn't told: beside its file, under its name.
    package static func profiledCosts(of file: String?) -> String {
        guard let file else { return "costs.json" }
        return (file.hasSuffix(".toml") ? String(file.dropLast(5)) : file) + ".costs.json"
    }
}

extension LayerSplit {
    /// Whether it leaves the number of stages open.
    fileprivate var isOpen: Bool {
        if case .explicit = self { return false }
        return true
    }
}
