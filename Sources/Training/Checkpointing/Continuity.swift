import Checkpoints
import Foundation

/// Compares a run's configuration with that of the checkpoint it goes on from: what would make it another run is refused, what only changes the
/// numbers is told.
struct Continuity {
    private let old: RunConfiguration?

    /// - Parameters:
    ///   - manifest: of the newest complete checkpoint; without one, the configuration that the run left in `file` counts.
    init(_ manifest: Manifest?, file: String) throws {
        guard let manifest else {
            old = try? RunConfiguration.load(file: file, overrides: [])
            return
        }
        var old = try RunConfiguration.parse(
            toml: manifest.configuration, file: "the checkpoint of step \(manifest.step)")
        // A checkpoint holds what its run resolved: one that leaves it open is from before there was a choice.
        if old.machine.matrices == .auto { old.machine.matrices = .tiles }
        self.old = old
    }

    private enum Change { case anotherRun, otherNumbers, nothing }

    /// The text itself is compared where the corpus is known: `data.path` may change its name.
    private static func change(_ key: String) -> Change {
        switch key {
        case "data.path", "training.evaluate_every", "training.evaluate_sequences", "training.log_every",
            "training.sample_prompt", "training.sample_tokens", "training.sample_temperature",
            "training.max_nonfinite":
            .nothing
        case "training.steps", "pipeline.slice", "pipeline.replicas", "pipeline.compress_messages", "model.precision",
            "machine.matrices",
            "model.dropout", "model.hidden_dropout",
            "model.attention_dropout":
            .otherNumbers
        case "training.batch", "training.seed": .anotherRun
        default:
            switch key.prefix(while: { $0 != "." }) {
            case "model", "data": .anotherRun
            case "optimizer": .otherNumbers
            default: .nothing
            }
        }
    }

    private func changed(_ new: RunConfiguration, _ change: Change) -> [String] {
        guard var old else { return [] }
        // What was left open, and has made no checkpoint yet, is what is taken now.
        if old.machine.matrices == .auto { old.machine.matrices = new.machine.matrices }
        return ConfigurationKey.all.filter {
            $0.value(in: old) != $0.value(in: new) && Self.change($0.qualifiedName) == change
        }.map { "\($0.qualifiedName) was \($0.value(in: old).toml) and is \($0.value(in: new).toml)" }
    }

    func refuseAnotherRun(_ new: RunConfiguration) throws {
        let refused = changed(new, .anotherRun)
        guard refused.isEmpty else {
            throw ConfigurationError(
                refused.map {
                    $0
                        + ": the run in this folder cannot go on like that. Set it back, give another run.directory, or set run.overwrite to true "
                        + "(without --resume) to begin anew"
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
