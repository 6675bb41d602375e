import Glibc

/// A path as the system has it: bytes, which need be no text.
package struct BytePath: Sendable, Hashable, CustomStringConvertible {
    /// Without a zero at the end.
    package let bytes: [UInt8]

    package init(_ text: String) { bytes = Array(text.utf8) }

    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// The path of what the folder of this path calls `name`.
    package func appending(_ name: [UInt8]) -> BytePath {
        let slash = UInt8(ascii: "/")
        return BytePath(bytes: bytes.last == slash ? bytes + name : bytes + [slash] + name)
    }

    package func withCString<Value>(_ body: (UnsafePointer<CChar>) throws -> Value) rethrows -> Value {
        try (bytes + [0]).withUnsafeBufferPointer { pointer in
            try pointer.withMemoryRebound(to: CChar.self) { try body($0.baseAddress!) }
        }
    }

    /// As C and shells write it: what is no text, or can't be seen, as an escape.
    package var description: String {
        var text = ""
        var rest = bytes[...]
        while let byte = rest.first {
            let character = (1...4).lazy.compactMap { String(validating: rest.prefix($0), as: UTF8.self) }
                .first { $0.unicodeScalars.count == 1 }
            if let scalar = character?.unicodeScalars.first, Self.isVisible(scalar) {
                text.unicodeScalars.append(scalar)
                rest.removeFirst(UTF8.width(scalar))
            } else {
                text += Self.escape(byte)
                rest.removeFirst()
            }
        }
        return text
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }

    private static func escape(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\n"): "\\n"
        case UInt8(ascii: "\t"): "\\t"
        case UInt8(ascii: "\r"): "\\r"
        default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
}
