import Numerics

/// A weight matrix W [outputs, inputs] as a linear map of a slice's rows, with its backward: y = x W^T, dx = dy W, dW
/// += dy^T x.
///
/// W is prepared for each direction at its first use in a step and serves all slices of the step.
final class LinearMap {
    struct Shape: Sendable {
        let outputs, inputs: Int

        /// Floats of both prepared forms.
        func preparedCount(_ engine: MatrixEngine, _ precision: Precision) -> Int {
            (engine.preparedBytes(depth: inputs, columns: outputs, precision)
                + engine.preparedBytes(depth: outputs, columns: inputs, precision)) / MemoryLayout<Float>.stride
        }
    }

    private let outputs: Int
    private let inputs: Int
    private var forwardFactor = Right(transposed: true)
    private var backwardFactor = Right(transposed: false)

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
        let weight = forwardFactor.prepared(context.matrices, w, outputs: outputs, inputs: inputs)
        context.matrices.multiply(
            Factor(x, stride: ldx), rows: context.length, by: weight,
            to: Destination(y, stride: ldy, adds: beta != 0))
    }

    /// dy [T, outputs] -> dx [T, inputs] + beta dx.
    func backward(
        _ context: SliceContext, _ w: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ lddy: Int, _ beta: Float,
        _ dx: UnsafeMutablePointer<Float>, _ lddx: Int
    ) {
        let weight = backwardFactor.prepared(context.matrices, w, outputs: outputs, inputs: inputs)
        context.matrices.multiply(
            Factor(dy, stride: lddy), rows: context.length, by: weight,
            to: Destination(dx, stride: lddx, adds: beta != 0))
    }

    /// dW += dy^T x.
    func accumulateWeightGradient(
        _ context: SliceContext, _ dw: UnsafeMutablePointer<Float>, _ dy: UnsafePointer<Float>, _ lddy: Int,
        _ x: UnsafePointer<Float>, _ ldx: Int
    ) {
        context.matrices.multiply(
            Product(
                rows: outputs, columns: inputs, depth: context.length, Factor(dy, stride: lddy, transposed: true),
                Factor(x, stride: ldx), to: Destination(dw, stride: inputs, adds: true)))
    }

    /// W or its transpose as a right factor.
    private struct Right {
        let transposed: Bool
        var isFresh = false
        private var weight: PreparedWeight?

        init(transposed: Bool) { self.transposed = transposed }

        mutating func prepared(
            _ engine: any MatrixProducts, _ w: UnsafePointer<Float>, outputs: Int, inputs: Int
        ) -> PreparedWeight {
            if isFresh, let weight { return weight }
            let (depth, columns) = transposed ? (inputs, outputs) : (outputs, inputs)
            let fresh = engine.prepare(
                Factor(w, stride: inputs, transposed: transposed), depth: depth, columns: columns, reusing: weight)
            weight = fresh
            isFresh = true
            return fresh
        }
    }
}
