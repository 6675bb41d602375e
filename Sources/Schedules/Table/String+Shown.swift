extension String {
    /// The text for a message: characters that nobody would see, or that would steer a terminal, are written out.
    package var shown: String {
        unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
                text += "\\u{\(Swift.String(scalar.value, radix: 16))}"
            case .spaceSeparator where scalar != " ":
                text += "\\u{\(Swift.String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
