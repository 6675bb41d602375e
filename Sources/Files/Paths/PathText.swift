/// A path as a user writes it, in a configuration or as an option where no shell has read it.
///
///     ~/runs, ~anna/runs          the home folder, at the beginning
///     $SCRATCH/runs, ${SCRATCH}   an environment variable
///     {name}, {run}, ...          a placeholder, where the key has some
///     $$, {{, }}                  a $, { or } itself; ./~ for a name that begins with ~
///
/// `read` comes first and looks at the environment; placeholders and braces stay as they are written until `fill`.
package enum PathText {
    /// - Parameter placeholders: what may stand between braces; nil: braces mean nothing
    /// - Throws: `PathProblem`
    package static func read(
        _ text: String, placeholders: [String]? = nil, environment: PathEnvironment = .process
    ) throws -> String {
        try checkCharacters(text)
        var reader = PathReader(text, environment)
        let path = try reader.read(placeholders)
        return tidy(path)
    }

    /// With values in place of placeholders, and single braces for doubled ones.
    package static func fill(_ text: String, _ values: [String: String] = [:]) -> String {
        var out = ""
        var rest = text[...]
        while let character = rest.first {
            if rest.hasPrefix("{{") || rest.hasPrefix("}}") {
                out.append(character)
                rest = rest.dropFirst(2)
            } else if character == "{", let end = rest.firstIndex(of: "}"),
                let value = values[String(rest[rest.index(after: rest.startIndex)..<end])]
            {
                out += value
                rest = rest[rest.index(after: end)...]
            } else {
                out.append(character)
                rest = rest.dropFirst()
            }
        }
        return tidy(out)
    }

    /// Whether `fill` would put a value there.
    package static func holds(_ placeholder: String, in text: String) -> Bool {
        fill(text, [placeholder: "a"]) != fill(text, [placeholder: "b"])
    }

    /// A finished path as a text whose braces mean nothing.
    package static func literal(_ path: String) -> String {
        path.replacing("{", with: "{{").replacing("}", with: "}}")
    }

    /// What has been read, as a text that reads back the same wherever it is read.
    package static func written(_ path: String) -> String {
        (path.hasPrefix("~") ? "./" : "") + path.replacing("$", with: "$$")
    }

    /// Without slashes that say nothing: at the end and doubled ones.
    private static func tidy(_ path: String) -> String {
        var out = ""
        for character in path where character != "/" || out.last != "/" { out.append(character) }
        if out.count > 1, out.last == "/" { out.removeLast() }
        return out
    }

    /// Characters that nobody means to have in a name. (Joiners are part of some scripts' words.)
    private static func checkCharacters(_ text: String) throws {
        let joiners: ClosedRange<Unicode.Scalar> = "\u{200C}"..."\u{200D}"
        for scalar in text.unicodeScalars where !joiners.contains(scalar) {
            let isFormat = scalar.properties.generalCategory == .format
            guard !isFormat, scalar.properties.generalCategory != .control else {
                throw PathProblem(
                    "\(Shown.quoted(text)) has \(Shown.describe(scalar)), which can't be seen: take it out of the path")
            }
        }
    }
}

/// Why a text is no path.
package struct PathProblem: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
