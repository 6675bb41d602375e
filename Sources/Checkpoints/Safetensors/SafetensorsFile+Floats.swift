extension SafetensorsFile {
    /// Element types of which every value is a float32, too.
    package static let floatTypes: [TensorType] = [.float32, .bfloat16, .float16]

    /// A tensor's elements as float32, in which those of the narrower types are exact.
    package func widened(_ name: String) throws -> [Float] {
        let entry = try entry(name)
        switch entry.type {
        case .float32: return try floats(name)
        case .bfloat16:
            // The upper half of a float32.
            return try words(entry) { Float(bitPattern: UInt32($0) << 16) }
        case .float16:
            return try words(entry) { Float(Float16(bitPattern: $0)) }
        default:
            throw SafetensorsError(
                file: path, tensor: name,
                reason: "expected \(Self.floatTypes.map(\.rawValue).joined(separator: ", ")), "
                    + "found \(entry.type.rawValue)")
        }
    }

    @inline(__always)
    private func words(_ entry: TensorEntry, _ widen: (UInt16) -> Float) throws -> [Float] {
        try withBytes(entry.name) { bytes in
            [Float](unsafeUninitializedCapacity: entry.count) { buffer, count in
                for i in 0..<entry.count {
                    buffer[i] = widen(
                        UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)))
                }
                count = entry.count
            }
        }
    }
}
