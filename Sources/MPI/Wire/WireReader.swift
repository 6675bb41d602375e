/// Takes values from a message in the order in which they were written. The message may be damaged: nothing is read
/// beyond its end.
package struct WireReader {
    private let bytes: [UInt8]
    private let sender: String
    private let expected: String
    private var position = 0

    /// - Parameters:
    ///   - sender: whose message it is ("rank 3")
    ///   - expected: what the whole message should be
    init(_ bytes: [UInt8], from sender: String, expecting expected: String) {
        self.bytes = bytes
        self.sender = sender
        self.expected = expected
    }

    package mutating func next<Value: WireValue>(_: Value.Type = Value.self) throws -> Value {
        try Value(from: &self)
    }

    /// The message must have been read to its end.
    func finish() throws {
        guard position == bytes.count else {
            throw fault("the end of the message", found: "\(bytes.count - position) bytes more", size: 0)
        }
    }

    /// The next bytes of the message.
    mutating func take(_ count: Int, _ what: String) throws -> ArraySlice<UInt8> {
        guard count <= bytes.count - position else {
            throw fault("\(what) of \(count) bytes", found: "\(bytes.count - position) until the end", size: 0)
        }
        position += count
        return bytes[position - count..<position]
    }

    mutating func load<Value: BitwiseCopyable>(_ what: String) throws -> Value {
        try take(MemoryLayout<Value>.size, what).withUnsafeBytes { $0.loadUnaligned(as: Value.self) }
    }

    /// A case of an enumeration, by its number.
    package mutating func choice<Choice: RawRepresentable<Int>>(_ what: String) throws -> Choice {
        let number: Int = try next()
        guard let choice = Choice(rawValue: number) else { throw fault(what, found: "\(number)", size: 8) }
        return choice
    }

    /// A count of things that take a byte each at least.
    package mutating func count(of what: String) throws -> Int {
        let count: Int = try load("a count of \(what)")
        guard 0...(bytes.count - position) ~= count else {
            throw fault("a count of \(what), \(bytes.count - position) at most", found: "\(count)", size: 8)
        }
        return count
    }

    /// - Parameter size: bytes that were taken and turned out to be wrong
    package func fault(_ expectation: String, found: String, size: Int) -> WireError {
        WireError(
            sender: sender, message: expected, size: bytes.count, offset: position - size, expected: expectation,
            found: found)
    }
}

/// The bytes of a message, value after value.
package struct WireWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    mutating func add(_ memory: UnsafeRawBufferPointer) { bytes.append(contentsOf: memory) }
}

/// A message that isn't what was expected: damaged on its way, or of another build of the program.
package struct WireError: Error, Equatable, CustomStringConvertible {
    /// Whose message it was ("rank 3").
    package let sender: String
    /// What it should have been, and its bytes.
    package let message: String
    package let size: Int
    /// Where in it the fault is, what should be there, and what is.
    package let offset: Int
    package let expected: String
    package let found: String

    package var description: String {
        "the message of \(size) bytes from \(sender) is no \(message): expected \(expected) at byte \(offset), found "
            + "\(found). Do all nodes run the same build? Compare `gecko --version` on them"
    }
}
