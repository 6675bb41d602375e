import ArgumentParser
import Files

/// What every command that writes files of given names takes.
struct OutputOptions: ParsableArguments {
    @Flag(help: "The files that are written may replace what is something else.")
    var overwrite = false

    func write(_ text: String, to path: String, as kind: OutputKind) throws {
        try OutputFile.write(text, to: path, as: kind, overwrite: overwrite)
    }

    /// Before long work: whether the files could be written.
    func check(_ path: String?, as kind: OutputKind) throws {
        if let path { try OutputFile.check(path, as: kind, overwrite: overwrite) }
    }
}
