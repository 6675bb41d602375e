import Checkpoints
import Foundation
import Model

/// Compares a run's configuration with that of the checkpoint it goes on from: what would make it another run is
/// refused, what only changes the numbers is told. Each key says which of the two it is (`OnResume`).
struct Continuity {
    private let old: RunConfiguration?
    /// The library whose products the checkpoint's parameters came from; nil: none that matters, or unknown.
    private let oldLibrary: String?

    /// - Parameters:
    ///   - manifest: of the newest complete checkpoint; without one, the configuration that the run left in `file`
    ///     counts.
    init(_ manifest: Manifest?, file: String, _ architectures: Architectures) throws {
        oldLibrary = manifest?.library
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

    private func changed(_ new: RunConfiguration, _ effect: OnResume) -> [String] {
        guard var old else { return [] }
        // What was left open, and has made no checkpoint yet, is what is taken now.
        if old.machine.matrices == .auto { old.machine.matrices = new.machine.matrices }
        let architectures = (type(of: old.model).name, type(of: new.model).name)
        guard architectures.0 == architectures.1 else {
            // Their keys have nothing to do with each other.
            return effect == .anotherRun
                ? ["\(ConfigurationKey.architectureName) was \(architectures.0) and is \(architectures.1)"] : []
        }
        return new.keys.all.filter {
            $0.onResume == effect && $0.value(in: old) != $0.value(in: new)
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
        if let oldLibrary, let library = new.matrixEngine.library, library != oldLibrary {
            say(
                "note: matrices were multiplied by \(oldLibrary) and now are by \(library); from here on the numbers "
                    + "differ from those of an unchanged run in their last bits")
        }
    }
}
