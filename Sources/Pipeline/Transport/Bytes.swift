/// Numbers as the bytes of a message between ranks, which all have the same byte order.
enum Bytes {
    static func doubles(_ bytes: [UInt8]) -> [Double] {
        bytes.withUnsafeBytes { bytes in
            (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
        }
    }
}
