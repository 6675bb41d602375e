import Hardware

/// Arithmetic and memory traffic of a kind of work, counted by formula.
///
/// Flops are those of the mathematics: masked attention tiles and what the backward computes again are left out. Bytes
/// are what has to be moved when each operation of the equations reads its inputs and writes its outputs once a slice:
/// fused operations that keep their values in cache move less, so a rate above the memory's bandwidth means that the
/// caches serve it.
package struct WorkCount: Sendable, Equatable {
    package var flops = 0.0
    package var bytes = 0.0

    package init(flops: Double = 0, bytes: Double = 0) {
        self.flops = flops
        self.bytes = bytes
    }

    package static func += (a: inout WorkCount, b: WorkCount) {
        a.flops += b.flops
        a.bytes += b.bytes
    }
}

/// Counts by kind of work.
package struct WorkCounts: Sendable, Equatable {
    private var counts = [WorkCount](repeating: WorkCount(), count: Work.count)

    package init() {}

    package subscript(_ work: Work) -> WorkCount {
        get { counts[work.rawValue] }
        set { counts[work.rawValue] = newValue }
    }

    package mutating func add(_ work: Work, flops: Double = 0, floats: Double) {
        self[work] += WorkCount(flops: flops, bytes: 4 * floats)
    }

    package static func * (a: WorkCounts, factor: Double) -> WorkCounts {
        var product = a
        for i in product.counts.indices {
            product.counts[i].flops *= factor
            product.counts[i].bytes *= factor
        }
        return product
    }

    package static func += (a: inout WorkCounts, b: WorkCounts) {
        for i in a.counts.indices { a.counts[i] += b.counts[i] }
    }

    /// One update: clearing the gradients, their norm, and AdamW on values, gradients and both moments.
    package static func update(parameters: Int) -> WorkCounts {
        var w = WorkCounts()
        w.add(.optimizer, flops: 17 * Double(parameters), floats: 9 * Double(parameters))
        return w
    }
}

/// A kind of work in a breakdown of steps.
package struct WorkKind: Sendable {
    package let work: Work
    /// What people read.
    package let title: String
    /// Whether its arithmetic is matrix products, which run in the model's precision.
    package let isProducts: Bool

    package init(_ work: Work, _ title: String, isProducts: Bool = false) {
        self.work = work
        self.title = title
        self.isProducts = isProducts
    }
}

extension WorkCounts {
    /// A linear map's three products (output, input gradient, weight gradient) per token: each reads its two operands
    /// and writes its result; the weight gradient is added to.
    mutating func addProducts(columns n: Double, rows k: Double, slice T: Double, operand: Double) {
        let flops = 3 * 2 * n * k
        let read = (k + n * k / T) + (n + n * k / T) + (n + k)
        let written = n + k + 2 * n * k / T
        self[.gemm] += WorkCount(flops: flops, bytes: operand * read + 4 * written)
    }
}
