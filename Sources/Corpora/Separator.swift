import Files
import Glibc

/// The bytes that end a document within a file. Written as text with the escapes \n, \t, \r, \\ and \xNN.
package struct Separator: Sendable, Equatable {
    package let bytes: [UInt8]

    /// - Throws: `CorpusError` for an escape that means nothing
    package init(_ text: String) throws {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "n"): bytes.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "t"): bytes.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "r"): bytes.append(UInt8(ascii: "\r"))
            case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "x"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16), !digits.hasPrefix("+") else {
                    throw CorpusError(
                        "has \\x without two hexadecimal digits: write a byte as \\x0a, a backslash as \\\\")
                }
                bytes.append(value)
                rest.removeFirst(2)
            case let other:
                let what = other.map { "\\" + BytePath(bytes: [$0]).description } ?? "a backslash at its end"
                throw CorpusError(
                    "has \(what), which is no escape: \\n, \\t, \\r, \\\\ and \\xNN are; write a backslash as \\\\")
            }
        }
        self.bytes = bytes
    }

    /// The text that every way to write these bytes comes to: what is text stands for itself.
    package var text: String {
        var text = ""
        var rest = bytes[...]
        while let byte = rest.first {
            let character = (1...4).lazy.compactMap { String(validating: rest.prefix($0), as: UTF8.self) }
                .first { $0.unicodeScalars.count == 1 }
            switch character {
            case "\\"?: text += "\\\\"
            case let character? where byte >= 0x20 && byte != 0x7F || "\n\t\r".utf8.contains(byte):
                text.unicodeScalars.append(contentsOf: character.unicodeScalars)
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            rest.removeFirst(character?.utf8.count ?? 1)
        }
        return text
    }
}

extension CorpusReader {
    /// The stretches of a file between occurrences of a separator, found from the left.
    func documents(of index: Int, between separator: Separator) throws -> [Range<Int>] {
        let separator = separator.bytes
        var documents: [Range<Int>] = []
        var start = 0
        // Where the next separator may begin.
        var next = 0
        try readAll(index, overlap: separator.count - 1) { offset, bytes in
            guard let base = bytes.baseAddress else { return }
            var position = max(0, next - offset)
            while position + separator.count <= bytes.count {
                let remaining = bytes.count - position - separator.count + 1
                guard let hit = memchr(base + position, Int32(separator[0]), remaining) else { break }
                position = UnsafeRawPointer(hit) - base
                if memcmp(hit, separator, separator.count) == 0 {
                    documents.append(start..<offset + position)
                    position += separator.count
                    start = offset + position
                    next = start
                } else {
                    position += 1
                }
            }
        }
        return documents + [start..<files[index].size]
    }
}
