/// A strict reader of RFC 8259 JSON for text that may be hostile: what other readers pass over in silence (a key twice,
/// half a surrogate pair, invalid UTF-8, anything after the value) is refused, and nesting is bounded. Time and memory
/// are linear in the text.
package struct JSONParser {
    private let text: UnsafeRawBufferPointer
    private var position = 0

    private static let depthLimit = 64
    /// Objects with more keys look for the same key in a set.
    private static let fewKeys = 16

    private init(_ text: UnsafeRawBufferPointer) { self.text = text }

    /// Reads the one value that `text` holds; white space may surround it.
    /// - Throws: `JSONError` with the byte offset of the fault
    package static func parse(_ text: UnsafeRawBufferPointer) throws -> JSONNode {
        var parser = JSONParser(text)
        parser.skipSpace()
        let node = try parser.node(depth: 0)
        parser.skipSpace()
        guard parser.position == text.count else { throw parser.fault("expected the end of the text") }
        return node
    }

    package static func parse(_ text: [UInt8]) throws -> JSONNode { try text.withUnsafeBytes { try parse($0) } }

    package static func parse(_ text: String) throws -> JSONNode { try parse(Array(text.utf8)) }

    /// Line and column of a byte, both from 1.
    package static func place(of offset: Int, in text: [UInt8]) -> (line: Int, column: Int) {
        let before = text.prefix(offset)
        let line = before.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return (line, before.count - start + 1)
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
        while position < text.count, Self.isSpace(text[position]) { position += 1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

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

extension JSONParser {
    private mutating func node(depth: Int) throws -> JSONNode {
        guard depth <= Self.depthLimit else {
            throw JSONError(offset: position, reason: "nested more than \(Self.depthLimit) deep")
        }
        let start = position
        let value: JSONValue
        switch peek() {
        case UInt8(ascii: "{"): value = .object(try members(depth: depth))
        case UInt8(ascii: "["): value = .array(try elements(depth: depth))
        case UInt8(ascii: "\""): value = .string(try string())
        case .some(let byte) where Self.startsNumber(byte): value = try number()
        case UInt8(ascii: "t") where take(word: "true"): value = .boolean(true)
        case UInt8(ascii: "f") where take(word: "false"): value = .boolean(false)
        case UInt8(ascii: "n") where take(word: "null"): value = .null
        default: throw fault("expected a JSON value")
        }
        return JSONNode(value, range: start..<position)
    }

    private mutating func members(depth: Int) throws -> [JSONValue.Member] {
        position += 1
        var members: [JSONValue.Member] = []
        var many: Set<[UInt8]> = []
        skipSpace()
        if take("}") { return [] }
        while true {
            skipSpace()
            let start = position
            guard peek() == UInt8(ascii: "\"") else { throw fault("expected a key in double quotes") }
            let key = try string()
            // Compared as bytes: as text, keys that differ in Unicode normalisation only would be one.
            let isTwice: Bool
            if members.count < Self.fewKeys {
                isTwice = members.contains { $0.key.utf8.elementsEqual(key.utf8) }
            } else {
                if many.isEmpty { many = Set(members.map { Array($0.key.utf8) }) }
                isTwice = !many.insert(Array(key.utf8)).inserted
            }
            guard !isTwice else {
                throw JSONError(offset: start, reason: "the key \(Self.shown(key)) is given twice")
            }
            skipSpace()
            guard take(":") else { throw fault("expected ':' after the key \(Self.shown(key))") }
            skipSpace()
            members.append(.init(key: key, node: try node(depth: depth + 1)))
            skipSpace()
            if take("}") { return members }
            guard take(",") else { throw fault("expected ',' or '}'") }
        }
    }

    private static func shown(_ key: String) -> String { JSONText.quoted(String(key.prefix(80)), ascii: true) }

    private mutating func elements(depth: Int) throws -> [JSONNode] {
        position += 1
        var elements: [JSONNode] = []
        skipSpace()
        if take("]") { return [] }
        while true {
            skipSpace()
            elements.append(try node(depth: depth + 1))
            skipSpace()
            if take("]") { return elements }
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

extension JSONParser {
    /// Reads a string from its opening quote past its closing one.
    private mutating func string() throws -> String {
        let start = position
        position += 1
        let first = position
        // Most strings have no escape: they are taken in one piece.
        while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        var bytes = Array(text[first..<position])
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
