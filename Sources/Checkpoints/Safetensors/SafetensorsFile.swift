import Files

/// A safetensors file open for reading: the header is checked whole at `init`, the tensors stay on disk until touched.
package final class SafetensorsFile: Sendable {
    package let path: String
    package let metadata: [String: String]
    /// In the order of the file's header.
    package let entries: [TensorEntry]

    private let file: MappedFile
    private let bufferStart: Int
    private let indices: [String: Int]

    /// - Throws: `FileError` if it cannot be read, `SafetensorsError` for any breach of the format.
    package init(_ path: String) throws {
        self.path = path
        file = try MappedFile(path)
        let header = try SafetensorsHeader(file.bytes, file: path)
        metadata = header.metadata
        entries = header.entries
        bufferStart = header.bufferStart
        var indices: [String: Int] = [:]
        for (index, entry) in header.entries.enumerated() {
            // JSON keys that differ as bytes can still be equal as Swift strings (Unicode normalisation).
            guard indices.updateValue(index, forKey: entry.name) == nil else {
                throw SafetensorsError(file: path, tensor: entry.name, reason: "two tensors have this name")
            }
        }
        self.indices = indices
    }

    package var names: [String] { entries.map(\.name) }

    package func contains(_ name: String) -> Bool { indices[name] != nil }

    /// - Throws: `SafetensorsError` if there is no such tensor.
    package func entry(_ name: String) throws -> TensorEntry {
        guard let index = indices[name] else {
            throw SafetensorsError(file: path, tensor: name, reason: "not in this file of \(entries.count) tensors")
        }
        return entries[index]
    }

    /// Gives the tensor's bytes, little-endian in C order. They need not be aligned to the element type.
    package func withBytes<Result>(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        let range = try entry(name).range
        // The mapping lives as long as `file`, which must not be released before `body` returns.
        return try withExtendedLifetime(file) {
            try body(
                UnsafeRawBufferPointer(
                    rebasing: file.bytes[bufferStart + range.lowerBound..<bufferStart + range.upperBound]))
        }
    }

    /// A copy of an F32 tensor's elements.
    package func floats(_ name: String) throws -> [Float] { try elements(name, as: .float32) }

    /// A copy of an I32 tensor's elements.
    package func int32s(_ name: String) throws -> [Int32] { try elements(name, as: .int32) }

    /// A copy of an I64 tensor's elements.
    package func int64s(_ name: String) throws -> [Int64] { try elements(name, as: .int64) }

    /// A copy of a U8 or BOOL tensor's elements.
    package func uint8s(_ name: String) throws -> [UInt8] {
        try elements(name, as: entry(name).type == .bool ? .bool : .uint8)
    }

    private func elements<Element: BitwiseCopyable>(_ name: String, as type: TensorType) throws -> [Element] {
        let entry = try entry(name)
        guard entry.type == type else {
            throw SafetensorsError(
                file: path, tensor: name, reason: "expected \(type.rawValue), found \(entry.type.rawValue)")
        }
        return try withBytes(name) { bytes in
            [Element](unsafeUninitializedCapacity: entry.count) { buffer, count in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
                count = entry.count
            }
        }
    }
}
