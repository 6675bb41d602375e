import Files
import Foundation

/// Numbers as people write them.
enum NumberText {
    /// A number in plain decimal digits, with a point or an exponent; nil for all else, and where it is too large or
    /// too small for a number.
    static func decimal(_ text: String) -> Double? {
        guard text.wholeMatch(of: #/[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?/#) != nil,
            let value = Double(text), value.isFinite
        else { return nil }
        let isZero = text.prefix { $0 != "e" && $0 != "E" }.allSatisfy { !$0.isNumber || $0 == "0" }
        return value == 0 && !isZero ? nil : value
    }

    /// What a text that is no plain number was probably meant to be.
    static func likely(_ text: String) -> Double? {
        var plain = PlainText.meant(by: text)
        if let value = decimal(plain) { return value }
        // Thousands: 10,000 or 10_000 or 10 000 or 10'000.
        if plain.wholeMatch(of: #/[+-]?[1-9][0-9]{0,2}([,_ '][0-9]{3})+/#) != nil
            || plain.wholeMatch(of: #/[+-]?[0-9_]+/#) != nil
        {
            return decimal(plain.filter { !",_ '".contains($0) })
        }
        if let hexadecimal = plain.wholeMatch(of: #/0[xX]([0-9a-fA-F]{1,8})/#) {
            return Int(hexadecimal.1, radix: 16).map(Double.init)
        }
        if plain.hasSuffix("%") {
            return decimal(plain.dropLast().trimmingCharacters(in: .whitespaces)).flatMap {
                decimal("\($0)e-2") ?? $0 / 100
            }
        }
        // A program's literal: 1e-3f, 10L, 5d.
        if let last = plain.last, "fFdDlLuU".contains(last) { plain.removeLast() }
        // A decimal comma, where it can't be one of thousands.
        if plain.wholeMatch(of: #/[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?/#) != nil {
            plain = plain.replacing(",", with: ".")
        }
        return decimal(plain)
    }
}

extension ConfigurationKey {
    /// What a refused value was probably meant to be, as one writes it; it is accepted.
    func likely(_ value: ConfigurationValue) -> String? {
        let candidates: [ConfigurationValue]
        switch (kind, value) {
        case (.integer, .text(let text)): candidates = Self.integer(NumberText.likely(text))
        case (.integer, .number(let number)): candidates = Self.integer(number)
        case (.number, .text(let text)): candidates = NumberText.likely(text).map { [.number($0)] } ?? []
        case (.boolean, .text(let text)): candidates = Self.boolean(PlainText.meant(by: text).lowercased())
        case (.boolean, .integer(let number)): candidates = Self.boolean("\(number)")
        case (.choice(let names), .text(let text)):
            let meant = PlainText.meant(by: text)
            candidates = SimilarNames.nearest(to: meant, among: names).prefix(1).map { .text($0) }
        case (.layerSplit, .text(let text)): candidates = [.text(PlainText.meant(by: text).lowercased())]
        case (.text, .integer(let number)): candidates = [.text("\(number)")]
        default: candidates = []
        }
        return candidates.first { (try? accept($0)) != nil && (try? accept($0)).flatMap { $0 } != nil }.map(\.toml)
    }

    private static func integer(_ number: Double?) -> [ConfigurationValue] {
        guard let number, let whole = Int(exactly: number) else { return [] }
        return [.integer(whole)]
    }

    private static func boolean(_ word: String) -> [ConfigurationValue] {
        switch word {
        case "true", "yes", "on", "1", "t", "y": [.boolean(true)]
        case "false", "no", "off", "0", "f", "n": [.boolean(false)]
        default: []
        }
    }
}
