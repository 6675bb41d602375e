import Crypto

/// SHA-256 over tensors in a fixed order: equal digests mean equal parameters, byte for byte.
package struct ParameterDigest: Sendable {
    private var hash = SHA256()

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bufferPointer: bytes)
    }

    /// Takes the elements as little-endian f32, which is their layout in memory on the CPUs we run on.
    package mutating func update(_ elements: UnsafeBufferPointer<Float>) {
        update(UnsafeRawBufferPointer(elements))
    }

    /// The digest so far as 64 lower-case hexadecimal digits.
    package func hex() -> String {
        hash.finalize().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
