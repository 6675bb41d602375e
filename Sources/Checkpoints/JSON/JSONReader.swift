/// A strict reader of RFC 8259 JSON for text that may be hostile: duplicate keys, invalid UTF-8, lone surrogates, deep
/// nesting and anything after the value are refused. Time and memory are linear in the text.
package struct JSONReader {
    private let text: UnsafeRawBufferPointer
    private var position = 0
    private static let depthLimit = 64

    private init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    /// Reads the one value that `text` holds; white space may surround it.
    /// - Throws: `JSONError` with the byte offset of the fault.
    package static func read(_ text: UnsafeRawBufferPointer) throws -> JSONValue {
        var reader = JSONReader(text)
        reader.skipSpace()
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.position == text.count else { throw reader.fault("expected the end of the text") }
        return value
    }

    package static func read(_ text: String) throws -> JSONValue {
        try Array(text.utf8).withUnsafeBytes { try read($0) }
    }

    private func fault(_ reason: String, at offset: Int? = nil) -> JSONError {
        let offset = offset ?? position
        guard offset < text.count else { return JSONError(offset: offset, reason: "\(reason), found the end") }
        let byte = text[offset]
        let found =
            (0x21...0x7E).contains(byte)
            ? "'\(Character(UnicodeScalar(byte)))'" : "byte 0x" + String(byte, radix: 16, uppercase: true)
        return JSONError(offset: offset, reason: "\(reason), found \(found)")
    }

    private mutating func skipSpace() {
        while position < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
    }

    private func peek() -> UInt8? {
        position < text.count ? text[position] : nil
    }

    private static func startsNumber(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = peek(), UInt32(byte) == character.value else { return false }
        position += 1
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard position + count <= text.count else { return false }
        for i in 0..<count where text[position + i] != word.utf8Start[i] { return false }
        position += count
        return true
    }
}

extension JSONReader {
    private mutating func value(depth: Int) throws -> JSONValue {
        guard depth <= Self.depthLimit else {
            throw JSONError(offset: position, reason: "nested more than \(Self.depthLimit) deep")
        }
        switch peek() {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case .some(let byte) where Self.startsNumber(byte): return try number()
        case UInt8(ascii: "t") where take(word: "true"): return .boolean(true)
        case UInt8(ascii: "f") where take(word: "false"): return .boolean(false)
        case UInt8(ascii: "n") where take(word: "null"): return .null
        default: throw fault("expected a JSON value")
        }
    }

    private mutating func object(depth: Int) throws -> JSONValue {
        position += 1
        var members: [JSONValue.Member] = []
        var seen: Set<[UInt8]> = []
        skipSpace()
        if take("}") { return .object([]) }
        while true {
            skipSpace()
            let start = position
            guard peek() == UInt8(ascii: "\"") else { throw fault("expected a key in double quotes") }
            let key = try string()
            // Compared as bytes: String equality would also merge keys that differ in Unicode normalisation only.
            guard seen.insert(Array(key.utf8)).inserted else {
                throw JSONError(offset: start, reason: "duplicate key \"\(key.prefix(80))\"")
            }
            skipSpace()
            guard take(":") else { throw fault("expected ':' after the key \"\(key.prefix(80))\"") }
            skipSpace()
            members.append(.init(key: key, value: try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw fault("expected ',' or '}'") }
        }
    }

    private mutating func array(depth: Int) throws -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array([]) }
        while true {
            skipSpace()
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw fault("expected ',' or ']'") }
        }
    }

    private mutating func digits() throws {
        let start = position
        while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        if position == start { throw fault("expected a digit") }
    }

    private mutating func number() throws -> JSONValue {
        let start = position
        var integral = true
        _ = take("-")
        let first = position
        try digits()
        if text[first] == UInt8(ascii: "0"), position > first + 1 {
            throw JSONError(offset: first, reason: "a number may not begin with 0 followed by digits")
        }
        if take(".") {
            integral = false
            try digits()
        }
        if take("e") || take("E") {
            integral = false
            if !take("+") { _ = take("-") }
            try digits()
        }
        let literal = String(decoding: text[start..<position], as: UTF8.self)
        if integral, let value = Int(literal) { return .integer(value) }
        return .number(literal)
    }
}

extension JSONReader {
    /// Reads a string from its opening quote past its closing one.
    private mutating func string() throws -> String {
        let start = position
        position += 1
        var bytes: [UInt8] = []
        while true {
            guard let byte = peek() else {
                throw JSONError(offset: start, reason: "this string has no closing quote")
            }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let string = String(validating: bytes, as: UTF8.self) else {
                    throw JSONError(offset: start, reason: "this string is not valid UTF-8")
                }
                return string
            case UInt8(ascii: "\\"):
                try escape(into: &bytes)
            case 0..<0x20:
                throw fault("a control character in a string must be escaped")
            default:
                bytes.append(byte)
                position += 1
            }
        }
    }

    private mutating func escape(into bytes: inout [UInt8]) throws {
        let start = position
        position += 1
        guard let byte = peek() else { throw fault("expected an escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try codeUnit())
            if (0xD800..<0xDC00).contains(code) {
                guard take(word: "\\u") else {
                    throw JSONError(offset: start, reason: "half of a surrogate pair")
                }
                let low = UInt32(try codeUnit())
                guard (0xDC00..<0xE000).contains(low) else {
                    throw JSONError(offset: start, reason: "half of a surrogate pair")
                }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw JSONError(offset: start, reason: "half of a surrogate pair")
            }
            bytes.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw fault("unknown escape", at: start + 1)
        }
    }

    /// The four hexadecimal digits of a `\u` escape.
    private mutating func codeUnit() throws -> UInt16 {
        var code: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = peek(), let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 else {
                throw fault("expected a hexadecimal digit")
            }
            code = code << 4 | UInt16(digit)
            position += 1
        }
        return code
    }
}
