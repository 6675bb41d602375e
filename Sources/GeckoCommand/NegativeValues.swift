/// Values that begin with a minus sign. The parser of options takes such a word for another option, and tells nobody
/// what is wrong with it; here it becomes the value of the option in front of it, whose own check then says what was
/// expected.
enum NegativeValues {
    /// - Parameter words: of the command line
    static func joined(_ words: [String]) -> [String] {
        var joined: [String] = []
        var isOver = false
        for word in words {
            if !isOver, isNegative(word), let option = joined.last, takesValue(option) {
                joined[joined.count - 1] = option + "=" + word
            } else {
                joined.append(word)
            }
            // What follows are no options.
            if word == "--" { isOver = true }
        }
        return joined
    }

    private static func takesValue(_ word: String) -> Bool {
        word.hasPrefix("--") && word.count > 2 && !word.contains("=")
    }

    private static func isNegative(_ word: String) -> Bool {
        guard word.first == "-", let second = word.dropFirst().first else { return false }
        if second.isASCII, second.isNumber { return true }
        let rest = word.dropFirst().lowercased()
        return rest.first == "." && rest.dropFirst().first?.isNumber == true
            || ["inf", "infinity", "nan"].contains(rest)
    }
}
