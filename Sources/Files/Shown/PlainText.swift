/// What a text with characters that only look plain was meant to be: for suggestions, never to be used unasked.
package enum PlainText {
    /// The text in plain characters: digits and signs of other scripts, typographic dashes and quotes, look-alikes of
    /// Latin letters; without what can't be seen, and without blanks and quotes around it.
    package static func meant(by text: String) -> String {
        var plain = ""
        for scalar in text.unicodeScalars {
            if let known = lookAlikes[scalar] {
                plain += known
            } else if scalar.isASCII {
                plain.unicodeScalars.append(Shown.isInvisible(scalar) ? " " : scalar)
            } else if case .decimal? = scalar.properties.numericType, let digit = scalar.properties.numericValue {
                plain += "\(Int(digit))"
            } else if (0xFF01...0xFF5E).contains(scalar.value), let ascii = Unicode.Scalar(scalar.value - 0xFEE0) {
                plain.unicodeScalars.append(ascii)
            } else if scalar.properties.generalCategory == .spaceSeparator {
                plain += " "
            } else if !Shown.isInvisible(scalar) {
                plain.unicodeScalars.append(scalar)
            }
        }
        let around: Set<Character> = [" ", "\"", "'", "`"]
        let inner = plain.drop { around.contains($0) }
        return String(inner.reversed().drop { around.contains($0) }.reversed())
    }

    private static let lookAlikes: [Unicode.Scalar: String] = {
        var table: [Unicode.Scalar: String] = [:]
        func add(_ odd: String, _ plain: String) { for scalar in odd.unicodeScalars { table[scalar] = plain } }
        add("\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{FE58}\u{FE63}\u{FF0D}", "-")
        add("\u{201C}\u{201D}\u{201E}\u{201F}\u{00AB}\u{00BB}\u{2033}\u{FF02}", "\"")
        add("\u{2018}\u{2019}\u{201A}\u{201B}\u{2032}\u{02BC}\u{FF07}", "'")
        add("\u{066B}\u{2024}\u{3002}\u{FF0E}", ".")
        add("\u{201A}\u{066C}\u{060C}\u{3001}\u{FF0C}", ",")
        // Cyrillic and Greek letters that print like Latin ones.
        for (odd, plain) in zip(
            "\u{430}\u{435}\u{43E}\u{440}\u{441}\u{443}\u{445}\u{456}\u{458}\u{455}\u{3BF}\u{3C5}\u{131}\u{501}\u{4CF}"
                .unicodeScalars,
            "aeopcyxijsouidl")
        {
            table[odd] = String(plain)
        }
        for (odd, plain) in zip(
            "\u{410}\u{412}\u{415}\u{41A}\u{41C}\u{41D}\u{41E}\u{420}\u{421}\u{422}\u{425}\u{391}\u{395}\u{39F}"
                .unicodeScalars,
            "ABEKMHOPCTXAEO")
        {
            table[odd] = String(plain)
        }
        return table
    }()
}
