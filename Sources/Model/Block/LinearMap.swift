import Numerics

/// A weight matrix W [outputs, inputs] as a linear map of a slice's rows, with its backward: y = x W^T, dx = dy W, dW += dy^T x.
///
/// W is packed for each direction at its first use in a step and serves all slices of the step.
final class LinearMap {
    private let outputs: Int
    private let inputs: Int
    private var forwardFactor: PackedMatrix?
    private var backwardFactor: PackedMatrix?
    private var isForwardFresh = false
    private var isBackwardFresh = false

    init(outputs: Int, inputs: Int) {
        self.outputs = outputs
        self.inputs = inputs
    }

    /// Floats of both packed forms.
    func packedCount(_ precision: Precision) -> Int {
        PackedMatrix.count(depth: inputs, columns: outputs, precision)
            + PackedMatrix.count(depth: outputs, columns: inputs, precision)
    }

    /// Call when W may have changed.
    func beginStep() {
        isForwardFresh = false
        isBackwardFresh = false
    }

    /// x [T, inputs] -> y [T, outputs] + beta y, with row strides.
    func forward(
        _ context: SliceContext, _ w: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ ldx: Int, _ beta: Float,
        _ y: UnsafeMutablePointer<Float>, _ ldy: Int
    ) {
        let factor =
            forwardFactor ?? PackedMatrix(depth: inputs, columns: outputs, for: context.matrices)
        if !isForwardFresh { factor.pack(context.matrices, transposed: true, w, inputs) }
        forwardFactor = factor
        isForwardFresh = true
        context.matrices.run(false, context.length, x, ldx, factor, beta, y, ldy)
    }

    /// dy [T, outputs] -> dx [T, inputs] + beta dx.
    func backward(
        _ context: SliceContext, _ w: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ lddy: Int, _ beta: Float,
        _ dx: UnsafeMutablePointer<Float>, _ lddx: Int
    ) {
        let factor =
            backwardFactor ?? PackedMatrix(depth: outputs, columns: inputs, for: context.matrices)
        if !isBackwardFresh { factor.pack(context.matrices, transposed: false, w, inputs) }
        backwardFactor = factor
        isBackwardFresh = true
        context.matrices.run(false, context.length, dy, lddy, factor, beta, dx, lddx)
    }

    /// dW += dy^T x.
    func accumulateWeightGradient(
        _ context: SliceContext, _ dw: UnsafeMutablePointer<Float>, _ dy: UnsafePointer<Float>, _ lddy: Int,
        _ x: UnsafePointer<Float>, _ ldx: Int
    ) {
        context.matrices.run(true, false, outputs, inputs, context.length, dy, lddy, x, ldx, 1, dw, inputs)
    }
}
