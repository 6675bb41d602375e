/// A value of a JSON text and where it begins.
struct JSONNode {
    enum Value {
        case null
        case boolean(Bool)
        case number(Double)
        case string(String)
        case array([JSONNode])
        case object([(key: String, node: JSONNode)])
    }

    let value: Value
    /// Bytes of the text before it, and after it.
    let range: Range<Int>
}

/// Reads RFC 8259 JSON as strictly as it is written there: what other readers pass over in silence (a key twice, half a
/// surrogate pair, a number past all numbers) is refused, and nesting is bounded. Time and memory are linear in the
/// text.
struct JSONParser {
    let bytes: [UInt8]
    private var position = 0

    private static let depthLimit = 64
    /// Objects with more keys look for the same key in a set.
    private static let fewKeys = 16

    /// A fault and its place.
    struct Fault: Error {
        let offset: Int
        let reason: String
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The one value that `bytes` hold, with white space around it.
    static func parse(_ bytes: [UInt8]) throws -> JSONNode {
        var parser = JSONParser(bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.position = 3 }
        parser.skipSpace()
        let node = try parser.node(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.fault("expected the end of the text") }
        return node
    }

    /// Line and column of a byte, both from 1.
    static func place(of offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        var (line, column) = (1, 1)
        for byte in bytes.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
        return (line, column)
    }

    private func fault(_ reason: String, at offset: Int? = nil) -> Fault {
        let offset = offset ?? position
        guard offset < bytes.count else { return Fault(offset: offset, reason: "\(reason), found the end") }
        let byte = bytes[offset]
        let found =
            (0x21...0x7E).contains(byte)
            ? "'\(Character(UnicodeScalar(byte)))'" : "byte 0x" + String(byte, radix: 16, uppercase: true)
        return Fault(offset: offset, reason: "\(reason), found \(found)")
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count, (0..<count).allSatisfy({ bytes[position + $0] == word.utf8Start[$0] })
        else { return false }
        position += count
        return true
    }
}

extension JSONParser {
    private mutating func node(depth: Int) throws -> JSONNode {
        guard depth <= Self.depthLimit else {
            throw Fault(offset: position, reason: "nested more than \(Self.depthLimit) deep")
        }
        let start = position
        let value: JSONNode.Value
        switch peek() {
        case UInt8(ascii: "{"): value = .object(try members(depth: depth))
        case UInt8(ascii: "["): value = .array(try elements(depth: depth))
        case UInt8(ascii: "\""): value = .string(try string())
        case .some(let byte) where Self.startsNumber(byte): value = .number(try number())
        case UInt8(ascii: "t") where take(word: "true"): value = .boolean(true)
        case UInt8(ascii: "f") where take(word: "false"): value = .boolean(false)
        case UInt8(ascii: "n") where take(word: "null"): value = .null
        default: throw fault("expected a JSON value")
        }
        return JSONNode(value: value, range: start..<position)
    }

    private mutating func members(depth: Int) throws -> [(key: String, node: JSONNode)] {
        position += 1
        var members: [(key: String, node: JSONNode)] = []
        var many: Set<[UInt8]> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return [] }
        while true {
            skipSpace()
            let start = position
            guard peek() == UInt8(ascii: "\"") else { throw fault("expected a key in double quotes") }
            let key = try string()
            // As bytes: as text, keys that differ in Unicode normalisation only would be one.
            let isTwice: Bool
            if members.count < Self.fewKeys {
                isTwice = members.contains { $0.key.utf8.elementsEqual(key.utf8) }
            } else {
                if many.isEmpty { many = Set(members.map { Array($0.key.utf8) }) }
                isTwice = !many.insert(Array(key.utf8)).inserted
            }
            guard !isTwice else {
                throw Fault(offset: start, reason: "the key '\(key.shown.prefix(80))' is given twice")
            }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw fault("expected ':' after the key '\(key.shown.prefix(80))'") }
            skipSpace()
            members.append((key, try node(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return members }
            guard take(UInt8(ascii: ",")) else { throw fault("expected ',' or '}'") }
        }
    }

    private mutating func elements(depth: Int) throws -> [JSONNode] {
        position += 1
        var elements: [JSONNode] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return [] }
        while true {
            skipSpace()
            elements.append(try node(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return elements }
            guard take(UInt8(ascii: ",")) else { throw fault("expected ',' or ']'") }
        }
    }

    private static func startsNumber(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private mutating func digits() throws {
        let start = position
        while let byte = peek(), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        if position == start { throw fault("expected a digit") }
    }

    private mutating func number() throws -> Double {
        let start = position
        _ = take(UInt8(ascii: "-"))
        let first = position
        try digits()
        if bytes[first] == UInt8(ascii: "0"), position > first + 1 {
            throw Fault(offset: first, reason: "a number may not begin with 0 followed by digits")
        }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            throw Fault(
                offset: start, reason: "the number \(text.prefix(40)) is larger than any that can be counted with")
        }
        return value
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
        var content = Array(bytes[first..<position])
        while true {
            guard let byte = peek() else { throw Fault(offset: start, reason: "this string has no closing quote") }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let string = String(validating: content, as: UTF8.self) else {
                    throw Fault(offset: start, reason: "this string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): try escape(into: &content)
            case 0..<0x20: throw fault("a control character in a string must be escaped")
            default:
                content.append(byte)
                position += 1
            }
        }
    }

    private mutating func escape(into content: inout [UInt8]) throws {
        let start = position
        position += 1
        guard let byte = peek() else { throw fault("expected an escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            var code = try codeUnit()
            if (0xD800..<0xDC00).contains(code), take(word: "\\u") {
                let low = try codeUnit()
                guard (0xDC00..<0xE000).contains(low) else {
                    throw Fault(offset: start, reason: "half of a surrogate pair")
                }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw Fault(offset: start, reason: "half of a surrogate pair")
            }
            content.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw fault("unknown escape", at: start + 1)
        }
    }

    /// The four hexadecimal digits of a `\u` escape.
    private mutating func codeUnit() throws -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(), byte < 0x80, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
                throw fault("expected a hexadecimal digit")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
