import Figures
import Foundation

/// Tells bytes that look like text from others: any are trained on, but an image among texts is mostly a mistake.
enum TextCheck {
    /// A text of few words in another encoding stays below; nothing compressed does.
    private static let mostInvalid = 0.1

    /// Why these bytes, the beginning of a file, are hardly text; nil if they may be.
    static func doubt(_ bytes: [UInt8]) -> String? {
        if bytes.contains(0) { return "has zero bytes" }
        // A character may be cut at the end.
        if let cut = bytes.indices.suffix(4).first(where: { String(validating: bytes[..<$0], as: UTF8.self) != nil }),
            cut > 0
        {
            return nil
        }
        guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
        let invalid = String(decoding: bytes, as: UTF8.self).unicodeScalars.lazy.filter { $0 == "\u{FFFD}" }.count
        let share = Double(invalid) / Double(bytes.count)
        return share > mostInvalid ? "begins with bytes of which \(share.asWholePercentage) are no UTF-8" : nil
    }
}
