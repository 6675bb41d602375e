import ArgumentParser
import Files
import Foundation
import MPI
import Training

/// A configuration file and overrides of its keys, as `train` and `profile` take them.
struct RunArguments: ParsableArguments {
    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp(
            """
            A TOML file, or a pipe with its text, and then --section.key value overrides.
            """, valueName: "file and overrides"))
    var arguments: [String] = []

    /// The file, if there is one.
    var file: String? {
        // What can't be read as a path is refused under the name that was given, when it is opened.
        arguments.first.flatMap { $0.hasPrefix("-") ? nil : (try? pathOption($0)) ?? $0 }
    }

    var overrides: [String] { Array(arguments.dropFirst(file == nil ? 0 : 1)) }

    /// As it stands in the file and on the command line, before anything is resolved.
    func configuration() throws -> RunConfiguration { try RunConfiguration.load(file: file, overrides: overrides) }

    /// machine.patience, as far as this process can tell by itself: under a launcher only one rank is sure to see the
    /// file, and what comes through standard input.
    var patience: Double? {
        let rank = Launcher.rank(ProcessInfo.processInfo.environment)
        let isElsewhere = file.map { ConfigurationFile.isStream($0) && (rank ?? 0) != 0 } ?? false
        return try? RunConfiguration.load(file: isElsewhere ? nil : file, overrides: overrides).machine.patience
    }

    /// Reads and checks the configuration for a world of so many ranks.
    var loader: Launch.Loader {
        let (file, overrides) = (file, overrides)
        return { try RunConfiguration.load(file: file, overrides: overrides).validated(world: $0) }
    }
}

/// A path that is an option of a command: a shell leaves `--svg=~/a.svg` to the program.
@Sendable func pathOption(_ text: String) throws -> String {
    guard !text.isEmpty else { throw ValidationError("expected a name of a file or folder, found an empty text") }
    do { return try PathText.read(text) } catch { throw ValidationError("\(error)") }
}
