/// Numbers that are neither infinite nor no numbers at all: what the tensors of a model are made of.
package enum Finite {
    /// The bits of an exponent that only values have which are not finite.
    private static let exponent: UInt32 = 0x7F80_0000

    /// - Parameter bytes: float32, little-endian, not necessarily aligned
    /// - Returns: the index of the first value that is not finite
    package static func firstFault(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let count = bytes.count / 4
        let piece = 1 << 12
        for start in stride(from: 0, to: count, by: piece) {
            let end = min(count, start + piece)
            // Without a branch in it, so that the loop goes by vectors.
            var largest: UInt32 = 0
            for i in start..<end { largest = max(largest, word(bytes, i) & 0x7FFF_FFFF) }
            if largest >= exponent { return (start..<end).first { word(bytes, $0) & exponent == exponent } }
        }
        return nil
    }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ i: Int) -> UInt32 {
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self))
    }

    /// - Throws: `NotFiniteError` that names the first value that is not finite
    package static func check(_ bytes: UnsafeRawBufferPointer, of tensor: String, in file: String) throws {
        guard let index = firstFault(bytes) else { return }
        throw NotFiniteError(file: file, tensor: tensor, index: index, value: Float(bitPattern: word(bytes, index)))
    }
}

/// A tensor that is no part of a model: the run had diverged.
package struct NotFiniteError: Error, CustomStringConvertible, Equatable, Sendable {
    package let file: String
    package let tensor: String
    package let index: Int
    package let value: Float

    package static func == (a: Self, b: Self) -> Bool {
        a.file == b.file && a.tensor == b.tensor && a.index == b.index
    }

    package var description: String {
        (file.isEmpty ? "" : "\(file): ")
            + "tensor '\(tensor)' is not finite (element \(index) is \(value)): this state is not usable"
    }
}

extension SafetensorsFile {
    /// - Throws: `NotFiniteError` for the first float32 tensor that is not finite
    package func checkFinite() throws {
        for entry in entries where entry.type == .float32 {
            try withBytes(entry.name) { try Finite.check($0, of: entry.name, in: path) }
        }
    }
}
