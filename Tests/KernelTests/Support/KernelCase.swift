import Kernels
import Testing

/// One call of one kernel: how to make it at any CPU level, and what its equation, written plainly in Double, gives.
struct KernelCase: Sendable, CustomTestStringConvertible {
    let kernel: String
    let shape: String
    /// Largest deviation relative to each output's largest entry.
    let tolerance: Double
    let run: @Sendable (KernelTable, KernelMemory) -> Void
    let expected: @Sendable () -> [String: [Double]]

    init(
        _ kernel: String, _ shape: String, tolerance: Double = Tolerance.output,
        run: @escaping @Sendable (KernelTable, KernelMemory) -> Void,
        expected: @escaping @Sendable () -> [String: [Double]]
    ) {
        self.kernel = kernel
        self.shape = shape
        self.tolerance = tolerance
        self.run = run
        self.expected = expected
    }

    var testDescription: String { "\(kernel) \(shape)" }
}

enum Tolerance {
    static let output = 1e-6
    static let gradient = 1e-5
}

enum KernelCases {
    /// Widths around whole vectors of 16 lanes.
    static let widths = [1, 5, 15, 16, 17, 24, 33]
    static let rows = [0, 1, 7]

    /// A case for every width and number of rows.
    static func shapes(_ make: (_ rows: Int, _ cols: Int) -> KernelCase) -> [KernelCase] {
        widths.flatMap { cols in rows.map { make($0, cols) } }
    }

    static let all: [KernelCase] =
        elementwise + gating + rowMoves + featureNorms + timestepNorms + cumulativeNorms + complexEMAs + dampedEMAs
        + softmaxes
        + causalSoftmaxes + biasedAttentions + gatedResiduals + queries + memories + losses + optimizers + dropouts
        + normals + peaks
}
