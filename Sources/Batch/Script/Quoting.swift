/// How names that people choose get into a script: quoted, doubled, or refused; never run.
enum Quoting {
    /// A word of a shell's command line.
    static func word(_ text: String) -> String {
        isPlain(text) ? text : "'" + text.replacing("'", with: "'\\''") + "'"
    }

    /// An option of sbatch as it stands in a script: sbatch takes a line #SBATCH apart as a shell does, but fills
    /// nothing in.
    static func directive(_ option: String) -> String {
        guard !isPlain(option) else { return option }
        return "\"" + option.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    /// A path in an option in which Slurm would fill in %j and the like.
    static func literalPattern(_ path: String) -> String { path.replacing("%", with: "%%") }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0.isASCII
                    && ($0.properties.isAlphabetic || $0.properties.numericType != nil
                        || "/._-+=:,@%".contains(Character($0)))
            }
    }

    /// - Throws: `BatchError` when the text would break a line of the script, or can't be seen
    static func check(_ text: String, of what: String) throws {
        guard let odd = text.unicodeScalars.first(where: isControl) else { return }
        let code = String(odd.value, radix: 16, uppercase: true)
        let name =
            odd == "\n"
            ? "a line break" : "the control character U+" + String(repeating: "0", count: max(0, 4 - code.count)) + code
        throw BatchError("\(what) has \(name) in it, which a job script can't carry: \(visible(text)). Choose another")
    }

    /// - Throws: `BatchError` when Slurm can't write to the path: a backslash makes it read the whole name in another
    /// way
    static func checkOutput(_ path: String, of what: String) throws {
        try check(path, of: what)
        guard !path.contains("\\") else {
            throw BatchError(
                "\(what) has a backslash in it, which Slurm doesn't take in the name of a log: \(path). Choose another")
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private static func visible(_ text: String) -> String {
        text.unicodeScalars.map { isControl($0) ? $0.escaped(asASCII: true) : String($0) }.joined()
    }
}
