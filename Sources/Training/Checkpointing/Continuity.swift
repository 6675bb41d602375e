import Checkpoints
import Foundation
import Model

/// Compares a run's configuration with that of the checkpoint it goes on from: what would make it another run is
/// refused, what only changes the numbers is told.
struct Continuity {
    private let old: RunConfiguration?

    /// - Parameters:
    ///   - manifest: of the newest complete checkpoint; without one, the configuration that the run left in `file`
    ///     counts.
    init(_ manifest: Manifest?, file: String, _ architectures: Architectures) throws {
        guard let manifest else {
            old = try? RunConfiguration.load(file: file, overrides: [], architectures: architectures)
            return
        }
        var old = try RunConfiguration.parse(
            toml: manifest.configuration, file: "the checkpoint of step \(manifest.step)",
            architectures: architectures)
        // A checkpoint holds what its run resolved: one that leaves it open is from before there was a choice.
        if old.machine.matrices == .auto { old.machine.matrices = .tiles }
        self.old = old
    }

    private enum Change { case anotherRun, otherNumbers, nothing }

    /// The text itself is compared where the corpus is known: `data.path` may change its name.
    private static func change(_ key: ConfigurationKey) -> Change {
        switch key.change {
        case .anotherRun: .anotherRun
        case .otherNumbers: .otherNumbers
        case nil: change(key.qualifiedName)
        }
    }

    private static func change(_ key: String) -> Change {
        switch key {
        case "data.path", "training.evaluate_every", "training.evaluate_sequences", "training.log_every",
            "training.sample_prompt", "training.sample_tokens", "training.sample_temperature",
            "training.max_nonfinite":
            .nothing
        case "training.steps", "pipeline.slice", "pipeline.replicas", "pipeline.compress_messages", "machine.matrices":
            .otherNumbers
        case "training.batch", "training.seed": .anotherRun
        default:
            switch key.prefix(while: { $0 != "." }) {
            case "data": .anotherRun
            case "optimizer": .otherNumbers
            default: .nothing
            }
        }
    }

    private func changed(_ new: RunConfiguration, _ change: Change) -> [String] {
        guard var old else { return [] }
        // What was left open, and has made no checkpoint yet, is what is taken now.
        if old.machine.matrices == .auto { old.machine.matrices = new.machine.matrices }
        let architectures = (type(of: old.model).name, type(of: new.model).name)
        guard architectures.0 == architectures.1 else {
            // Their keys have nothing to do with each other.
            return change == .anotherRun
                ? ["\(ConfigurationKey.architectureName) was \(architectures.0) and is \(architectures.1)"] : []
        }
        return new.keys.all.filter {
            $0.value(in: old) != $0.value(in: new) && Self.change($0) == change
        }.map { "\($0.qualifiedName) was \($0.value(in: old).toml) and is \($0.value(in: new).toml)" }
    }

    func refuseAnotherRun(_ new: RunConfiguration) throws {
        let refused = changed(new, .anotherRun)
        guard refused.isEmpty else {
            throw ConfigurationError(
                refused.map {
                    $0
                        + ": the run in this folder cannot go on like that. Set it back, give another run.directory, "
                        + "or set run.overwrite to true (without --resume) to begin anew"
                })
        }
    }

    func check(_ new: RunConfiguration) throws {
        try refuseAnotherRun(new)
        for text in changed(new, .otherNumbers) {
            say("note: \(text); from here on the numbers differ from those of an unchanged run")
        }
    }
}
