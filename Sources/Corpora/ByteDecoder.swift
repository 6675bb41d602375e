/// Turns tokens into text as they come: a character appears once its last byte is there, and bytes that are not UTF-8
/// become U+FFFD, as many as the standard library would put for the whole text.
package struct ByteDecoder: Sendable {
    /// The beginning of a character whose other bytes are still to come.
    private var pending: [UInt8] = []
    /// Values the next byte of that character may have.
    private var continuation: ClosedRange<UInt8> = 0x80...0xBF
    private var missing = 0

    package init() {}

    /// The text that `token` completes; a bos token ends a character that is still incomplete.
    package mutating func decode(_ token: Int32) -> String {
        guard let byte = UInt8(exactly: token) else { return finish() }
        if missing > 0 {
            if continuation.contains(byte) {
                pending.append(byte)
                missing -= 1
                continuation = 0x80...0xBF
                return missing == 0 ? take() : ""
            }
            return finish() + begin(byte)
        }
        return begin(byte)
    }

    /// The repaired rest, at the end of the text.
    package mutating func finish() -> String {
        missing = 0
        return take()
    }

    /// The text of all `tokens`.
    package static func text(_ tokens: some Sequence<Int32>) -> String {
        var decoder = ByteDecoder()
        var text = ""
        for token in tokens { text += decoder.decode(token) }
        return text + decoder.finish()
    }

    private mutating func take() -> String {
        defer { pending.removeAll(keepingCapacity: true) }
        return String(decoding: pending, as: UTF8.self)
    }

    /// Starts a character; the ranges of second bytes are those of the Unicode standard's table 3-7.
    private mutating func begin(_ byte: UInt8) -> String {
        pending.append(byte)
        switch byte {
        case 0xC2...0xDF: expect(1, 0x80...0xBF)
        case 0xE0: expect(2, 0xA0...0xBF)
        case 0xED: expect(2, 0x80...0x9F)
        case 0xE1...0xEF: expect(2, 0x80...0xBF)
        case 0xF0: expect(3, 0x90...0xBF)
        case 0xF1...0xF3: expect(3, 0x80...0xBF)
        case 0xF4: expect(3, 0x80...0x8F)
        default: return take()
        }
        return ""
    }

    private mutating func expect(_ bytes: Int, _ next: ClosedRange<UInt8>) {
        missing = bytes
        continuation = next
    }
}

extension String {
    /// The text with control characters, but line breaks and tabs, made visible, so that a sample cannot upset the
    /// terminal it is printed on.
    package var withVisibleControls: String {
        var out = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A: out.append(scalar)
            case 0x00..<0x20: out.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
            case 0x7F: out.append("\u{2421}")
            case 0x80..<0xA0: out.append("\u{FFFD}")
            default: out.append(scalar)
            }
        }
        return String(out)
    }
}
