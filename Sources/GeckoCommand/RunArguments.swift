import ArgumentParser
import Training

/// A configuration file and overrides of its keys, as `train` and `profile` take them.
struct RunArguments: ParsableArguments {
    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp(
            "A TOML file and --section.key value overrides, in any order.", valueName: "file and overrides"))
    var arguments: [String] = []

    /// The file, if there is one.
    var file: String? { arguments.first.flatMap { $0.hasPrefix("--") ? nil : $0 } }

    var overrides: [String] { Array(arguments.dropFirst(file == nil ? 0 : 1)) }

    /// As it stands in the file and on the command line, before anything is resolved.
    func configuration() throws -> RunConfiguration { try RunConfiguration.load(file: file, overrides: overrides) }

    /// machine.patience, as far as this process can tell by itself: under a launcher only one rank is sure to see the file.
    var patience: Double? { try? configuration().machine.patience }

    /// Reads and checks the configuration for a world of so many ranks.
    var loader: Launch.Loader {
        let (file, overrides) = (file, overrides)
        return { try RunConfiguration.load(file: file, overrides: overrides).validated(world: $0) }
    }
}
