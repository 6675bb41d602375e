import Numerics

/// A weight matrix W [outputs, inputs] as a linear map of a slice's rows, with its backward: y = x W^T, dx = dy W, dW += dy^T x.
///
/// W is packed for each direction at its first use in a step and serves all slices of the step.
final class LinearMap {
    struct Shape: Sendable {
        let outputs, inputs: Int

        /// Floats of both packed forms.
        func packedCount(_ precision: Precision) -> Int {
            PackedMatrix.count(depth: inputs, columns: outputs, precision)
                + PackedMatrix.count(depth: outputs, columns: inputs, precision)
        }
    }

    private let outputs: Int
    private let inputs: Int
    private var forwardFactor = Factor(transposed: true)
    private var backwardFactor = Factor(transposed: false)

    init(_ shape: Shape) {
        outputs = shape.outputs
        inputs = shape.inputs
    }

    /// Call when W may have changed.
    func beginStep() {
        forwardFactor.isFresh = false
        backwardFactor.isFresh = false
    }

    /// x [T, inputs] -> y [T, outputs] + beta y, with row strides.
    func forward(
        _ context: SliceContext, _ w: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ ldx: Int, _ beta: Float,
        _ y: UnsafeMutablePointer<Float>, _ ldy: Int
    ) {
        let factor = forwardFactor.packed(context.matrices, w, outputs: outputs, inputs: inputs)
        context.matrices.run(false, context.length, x, ldx, factor, beta, y, ldy)
    }

    /// dy [T, outputs] -> dx [T, inputs] + beta dx.
    func backward(
        _ context: SliceContext, _ w: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ lddy: Int, _ beta: Float,
        _ dx: UnsafeMutablePointer<Float>, _ lddx: Int
    ) {
        let factor = backwardFactor.packed(context.matrices, w, outputs: outputs, inputs: inputs)
        context.matrices.run(false, context.length, dy, lddy, factor, beta, dx, lddx)
    }

    /// dW += dy^T x.
    func accumulateWeightGradient(
        _ context: SliceContext, _ dw: UnsafeMutablePointer<Float>, _ dy: UnsafePointer<Float>, _ lddy: Int,
        _ x: UnsafePointer<Float>, _ ldx: Int
    ) {
        context.matrices.run(true, false, outputs, inputs, context.length, dy, lddy, x, ldx, 1, dw, inputs)
    }

    /// W or its transpose as a right factor.
    private struct Factor {
        let transposed: Bool
        var isFresh = false
        private var matrix: PackedMatrix?

        init(transposed: Bool) { self.transposed = transposed }

        mutating func packed(
            _ engine: MatrixEngine, _ w: UnsafePointer<Float>, outputs: Int, inputs: Int
        ) -> PackedMatrix {
            let (depth, columns) = transposed ? (inputs, outputs) : (outputs, inputs)
            let factor = matrix ?? PackedMatrix(depth: depth, columns: columns, for: engine)
            if !isFresh { factor.pack(engine, transposed: transposed, w, inputs) }
            matrix = factor
            isFresh = true
            return factor
        }
    }
}
