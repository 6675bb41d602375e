/// Where a tensor of a safetensors file lies and what it is.
package struct TensorEntry: Sendable, Equatable {
    package let name: String
    package let type: TensorType
    /// Row-major (C order); empty for a scalar.
    package let shape: [Int]
    /// Bytes from the beginning of the file's buffer.
    package let range: Range<Int>

    /// Number of elements; 1 for a scalar.
    package var count: Int { range.count / type.size }

    /// Bytes of a tensor of this type and shape, or nil where the product does not fit an `Int`.
    package static func byteCount(type: TensorType, shape: [Int]) -> Int? {
        var bytes = type.size
        for extent in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
            if overflow || extent < 0 { return nil }
            bytes = product
        }
        return bytes
    }
}
