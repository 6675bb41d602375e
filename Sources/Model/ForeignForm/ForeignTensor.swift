/// A tensor of ours as another program keeps it: under which name, and what its numbers are changed by.
package struct ForeignTensor: Sendable {
    /// How the foreign numbers follow from ours. All of it keeps their order but for rows.
    package enum Change: Sendable, Equatable {
        case none
        /// Theirs is ours plus this.
        case adds(Float)
        /// Our row r is their row `order[r]`; each row stands in it once.
        case rows(order: [Int])
    }

    /// Ours.
    package let spec: ParameterSpec
    /// Theirs.
    package let name: String
    package let change: Change
    /// Theirs; it differs from ours in axes of size 1 at most.
    package let shape: [Int]

    package init(_ spec: ParameterSpec, name: String, change: Change, shape: [Int]? = nil) {
        self.shape = shape ?? spec.shape
        precondition(self.shape.reduce(1, *) == spec.count, "\(name): as many numbers as ours")
        if case .rows(let order) = change {
            precondition(order.count == spec.shape[0], "\(name): an order for each of the \(spec.shape[0]) rows")
        }
        self.spec = spec
        self.name = name
        self.change = change
    }

    /// Foreign numbers as ours.
    package func own(_ foreign: [Float]) -> [Float] {
        switch change {
        case .none: foreign
        case .adds(let offset): foreign.map { $0 - offset }
        case .rows(let order): moved(foreign) { (from: order[$0], to: $0) }
        }
    }

    /// Our numbers as foreign ones.
    package func foreign(_ own: [Float]) -> [Float] {
        switch change {
        case .none: own
        case .adds(let offset): own.map { $0 + offset }
        case .rows(let order): moved(own) { (from: $0, to: order[$0]) }
        }
    }

    private func moved(_ values: [Float], _ way: (Int) -> (from: Int, to: Int)) -> [Float] {
        let rows = spec.shape[0]
        let width = spec.count / rows
        var result = [Float](repeating: 0, count: values.count)
        values.withUnsafeBufferPointer { values in
            result.withUnsafeMutableBufferPointer { result in
                for row in 0..<rows {
                    let (from, to) = way(row)
                    (result.baseAddress! + to * width).update(from: values.baseAddress! + from * width, count: width)
                }
            }
        }
        return result
    }
}
