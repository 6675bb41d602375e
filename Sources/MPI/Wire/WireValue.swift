/// What ranks tell each other beside numbers that they add up: written as bytes by one, read by the others.
///
/// There is this one format. Integers and doubles take eight bytes, flags one, text and lists are their count and what
/// they hold, an optional is a flag and what it holds; whatever is made of several values is these in order. Bytes
/// lie as in memory: all ranks of a run have the same byte order.
package protocol WireValue: Sendable {
    func write(to writer: inout WireWriter)
    /// - Throws: `WireError` where the bytes are none that `write` makes
    init(from reader: inout WireReader) throws
}

extension WireValue {
    /// The whole message that tells this value.
    package var wireBytes: [UInt8] {
        var writer = WireWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Reads a whole message.
    /// - Parameter sender: for messages ("rank 3")
    /// - Throws: `WireError` where the message isn't one of this type, to its last byte
    package init(wireBytes bytes: [UInt8], from sender: String) throws {
        var reader = WireReader(bytes, from: sender, expecting: "\(Self.self)")
        self = try reader.next()
        try reader.finish()
    }
}

extension WireValue where Self: BitwiseCopyable {
    fileprivate func writeMemory(to writer: inout WireWriter) { withUnsafeBytes(of: self) { writer.add($0) } }
}

extension Int: WireValue {
    package func write(to writer: inout WireWriter) { writeMemory(to: &writer) }
    package init(from reader: inout WireReader) throws { self = try reader.load("an integer") }
}

extension UInt64: WireValue {
    package func write(to writer: inout WireWriter) { writeMemory(to: &writer) }
    package init(from reader: inout WireReader) throws { self = try reader.load("an integer") }
}

extension Double: WireValue {
    package func write(to writer: inout WireWriter) { writeMemory(to: &writer) }
    package init(from reader: inout WireReader) throws { self = try reader.load("a number") }
}

extension Bool: WireValue {
    package func write(to writer: inout WireWriter) { withUnsafeBytes(of: UInt8(self ? 1 : 0)) { writer.add($0) } }

    package init(from reader: inout WireReader) throws {
        let byte: UInt8 = try reader.load("a flag")
        guard byte < 2 else { throw reader.fault("a flag (0 or 1)", found: "\(byte)", size: 1) }
        self = byte == 1
    }
}

extension String: WireValue {
    package func write(to writer: inout WireWriter) {
        var text = self
        text.withUTF8 {
            $0.count.write(to: &writer)
            writer.add(UnsafeRawBufferPointer($0))
        }
    }

    package init(from reader: inout WireReader) throws {
        let count = try reader.count(of: "bytes of text")
        let bytes = try reader.take(count, "text")
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw reader.fault("text", found: "bytes that are no UTF-8", size: count)
        }
        self = text
    }
}

extension Array: WireValue where Element: WireValue {
    package func write(to writer: inout WireWriter) {
        count.write(to: &writer)
        for element in self { element.write(to: &writer) }
    }

    package init(from reader: inout WireReader) throws {
        // Every element takes a byte at least, so a count that was damaged asks for no memory.
        let count = try reader.count(of: "elements")
        self = []
        reserveCapacity(count)
        for _ in 0..<count { append(try reader.next()) }
    }
}

extension Optional: WireValue where Wrapped: WireValue {
    package func write(to writer: inout WireWriter) {
        (self != nil).write(to: &writer)
        self?.write(to: &writer)
    }

    package init(from reader: inout WireReader) throws {
        self = try Bool(from: &reader) ? try reader.next(Wrapped.self) : nil
    }
}
