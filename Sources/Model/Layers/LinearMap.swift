import KernelInterface
import Numerics

/// A weight matrix W [outputs, inputs] as a linear map of a slice's rows, with its backward: y = x W^T, dx = dy W, dW
/// += dy^T x. Rows may have gaps.
///
/// W is prepared for each direction at its first use in a step and serves all slices of the step.
package final class LinearMap {
    package struct Shape: Sendable {
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

    /// x [T, inputs] W^T to y [T, outputs].
    func forward(_ context: SliceContext, _ w: UnsafePointer<Float>, _ x: FloatRows, to y: Destination) {
        let weight = forwardFactor.prepared(context.matrices, w, outputs: outputs, inputs: inputs)
        context.matrices.multiply(Factor(x.base, stride: x.stride), rows: context.length, by: weight, to: y)
    }

    /// dy [T, outputs] W to dx [T, inputs].
    func backward(_ context: SliceContext, _ w: UnsafePointer<Float>, _ dy: FloatRows, to dx: Destination) {
        let weight = backwardFactor.prepared(context.matrices, w, outputs: outputs, inputs: inputs)
        context.matrices.multiply(Factor(dy.base, stride: dy.stride), rows: context.length, by: weight, to: dx)
    }

    /// dW += dy^T x, dy [T, outputs], x [T, inputs].
    func accumulateWeightGradient(
        _ context: SliceContext, _ dw: UnsafeMutablePointer<Float>, _ dy: FloatRows, _ x: FloatRows
    ) {
        context.matrices.multiply(
            Product(
                rows: outputs, columns: inputs, depth: context.length,
                Factor(dy.base, stride: dy.stride, transposed: true), Factor(x.base, stride: x.stride),
                to: Destination(dw, stride: inputs, adds: true)))
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

extension ModelProduct {
    /// A linear map's for a slice: output, input gradient, weight gradient.
    package static func products(of name: String, _ map: LinearMap.Shape, tokens: Int) -> [ModelProduct] {
        let (outputs, inputs) = (map.outputs, map.inputs)
        return [
            ModelProduct(
                name: name, direction: .forward, rows: tokens, columns: outputs, depth: inputs,
                leftIsTransposed: false, rightIsTransposed: true, isPrepared: true),
            ModelProduct(
                name: name, direction: .inputGradient, rows: tokens, columns: inputs, depth: outputs,
                leftIsTransposed: false, rightIsTransposed: false, isPrepared: true),
            ModelProduct(
                name: name, direction: .weightGradient, rows: outputs, columns: inputs, depth: tokens,
                leftIsTransposed: true, rightIsTransposed: false, adds: true),
        ]
    }
}
