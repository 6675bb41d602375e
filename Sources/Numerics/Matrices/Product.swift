/// C [rows, columns] = scale A [rows, depth] B [depth, columns], row-major float32, added to C where `result` says so.
package struct Product {
    package var rows, columns, depth: Int
    package var left, right: Factor
    package var result: Destination
    package var scale: Float

    package init(
        rows: Int, columns: Int, depth: Int, _ left: Factor, _ right: Factor, to result: Destination, scale: Float = 1
    ) {
        self.rows = rows
        self.columns = columns
        self.depth = depth
        self.left = left
        self.right = right
        self.result = result
        self.scale = scale
    }
}

/// A factor of a product: a matrix in memory, or its transpose.
package struct Factor {
    package var base: UnsafePointer<Float>
    /// Floats from one row in memory to the next.
    package var stride: Int
    /// What is multiplied is the transpose of what lies in memory.
    package var isTransposed: Bool

    @inline(__always)
    package init(_ base: UnsafePointer<Float>, stride: Int, transposed: Bool = false) {
        self.base = base
        self.stride = stride
        isTransposed = transposed
    }

    /// The factor from its row `row` and column `column` on.
    @inline(__always)
    func from(row: Int = 0, column: Int = 0) -> Factor {
        let offset = isTransposed ? column * stride + row : row * stride + column
        return Factor(base + offset, stride: stride, transposed: isTransposed)
    }
}

/// Where a product goes.
package struct Destination {
    package var base: UnsafeMutablePointer<Float>
    /// Floats from one row in memory to the next.
    package var stride: Int
    /// The product is added to what is there.
    package var adds: Bool

    @inline(__always)
    package init(_ base: UnsafeMutablePointer<Float>, stride: Int, adds: Bool = false) {
        self.base = base
        self.stride = stride
        self.adds = adds
    }

    /// The destination from its row `row` and column `column` on.
    @inline(__always)
    func from(row: Int = 0, column: Int = 0) -> Destination {
        Destination(base + row * stride + column, stride: stride, adds: adds)
    }
}
