import Foundation
import Simulation
import Training

/// The layout of a run that has begun, for its next submission: the bits depend on its replicas and slices, and where
/// nothing stands against it, the whole of it stays as it is.
struct KeptLayout {
    /// With the layout that the run has.
    private let old: RunConfiguration
    /// Of the submission before; nil for a run that was not submitted.
    private let nodes: Int?
    private let ranksPerNode: Int?
    private let file: String

    /// Nil when no run has begun in the folder.
    init?(_ folder: RunFolder) throws {
        let run = RunDirectory(folder.path)
        guard run.holdsRun,
            let file = [folder.configuration, run.configuration].first(where: FileManager.default.fileExists(atPath:))
        else { return nil }
        do { old = try RunConfiguration.load(file: file, overrides: []) } catch {
            throw BatchError("the layout of the run in \(folder.path) can't be read (--replan ignores it): \(error)")
        }
        self.file = file
        let script = file == folder.configuration ? try? String(contentsOfFile: folder.script, encoding: .utf8) : nil
        let numbers = script?.firstMatch(of: /\n.SBATCH --nodes=([0-9]{1,9}) --ntasks-per-node=([0-9]{1,9})\s/)
        nodes = numbers.flatMap { Int($0.1) }
        ranksPerNode = numbers.flatMap { Int($0.2) }
    }

    private var slice: Int { old.pipeline.slice == 0 ? old.data.sequence : old.pipeline.slice }

    private static let keys = [
        "pipeline.stages", "pipeline.replicas", "pipeline.schedule", "pipeline.virtual", "pipeline.slice",
        "pipeline.recompute", "pipeline.layers", "machine.threads",
    ]

    /// The given configuration with the whole layout; nil when other nodes or the command line ask for another.
    func whole(_ given: RunConfiguration, nodes wanted: Int) -> (configuration: RunConfiguration, ranksPerNode: Int)? {
        guard let nodes, let ranksPerNode, nodes == wanted,
            nodes * ranksPerNode == old.pipeline.stages * old.pipeline.replicas
        else { return nil }
        var new = given
        new.pipeline.stages = old.pipeline.stages
        new.pipeline.replicas = old.pipeline.replicas
        new.pipeline.schedule = old.pipeline.schedule
        new.pipeline.virtual = old.pipeline.virtual
        new.pipeline.slice = old.pipeline.slice
        new.pipeline.recompute = old.pipeline.recompute
        new.pipeline.layers = old.pipeline.layers
        new.machine.threads = old.machine.threads
        let overruled = given.keys.all.contains {
            Self.keys.contains($0.qualifiedName) && given.origins[$0.qualifiedName] == .commandLine
                && $0.value(in: given) != $0.value(in: new)
        }
        return overruled ? nil : (new, ranksPerNode)
    }

    /// What the planner must leave as it is, where the command line doesn't say otherwise.
    func settle(_ choice: inout PlanChoice) {
        choice.replicas = choice.replicas ?? old.pipeline.replicas
        choice.slice = choice.slice ?? slice
    }

    /// The whole layout in a few words.
    var description: String {
        let pipeline = old.pipeline
        return PlanCandidate(
            ranksPerNode: ranksPerNode ?? 1, threads: old.machine.threads, stages: pipeline.stages,
            virtualStages: max(1, pipeline.virtual), replicas: pipeline.replicas, slice: slice,
            schedule: pipeline.schedule, recompute: pipeline.recompute
        ).description
    }

    var wholeNote: String { "the layout of \(file): the run goes on with the same bits (--replan chooses anew)" }

    var bitsNote: String {
        "\(old.pipeline.replicas) replicas and slices of \(slice), as in \(file): the bits depend on them "
            + "(--replan chooses anew)"
    }
}
