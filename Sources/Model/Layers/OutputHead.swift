import KernelInterface
import Numerics

/// A model's last block where its norm is one over features: norm, output matrix, cross entropy. Its y is unused; the
/// forward leaves the loss, and (when there are targets) already turns the logits into their gradient, since the loss
/// is the end of the way.
package final class OutputHead: OutputBlock {
    package struct Form: Sendable {
        let norm: FeatureNorm.Form
        /// The output matrix' name.
        let weight: String
        /// The embedding, of which the matrix is a copy; nil: it is none.
        let original: String?
        let vocabulary: Int
        let initializer: Initializer
        let precision: Precision

        package init(
            norm: FeatureNorm.Form, weight: String, original: String?, vocabulary: Int, initializer: Initializer,
            precision: Precision
        ) {
            self.norm = norm
            self.weight = weight
            self.original = original
            self.vocabulary = vocabulary
            self.initializer = initializer
            self.precision = precision
        }

        package var mapShape: LinearMap.Shape { LinearMap.Shape(outputs: vocabulary, inputs: norm.dim) }

        private var parameters: [ParameterSpec] {
            norm.parameters + [
                ParameterSpec(weight, [vocabulary, norm.dim], initializer, decays: true, copyOf: original)
            ]
        }

        package var description: BlockDescription {
            let form = self
            let (D, V) = (Double(norm.dim), Double(vocabulary))
            return BlockDescription(
                name: OutputHead.name, parameters: parameters, flops: .init(perToken: 2 * D * V)
            ) { shape in
                var carver = Carver(counting: ())
                _ = Stash(&carver, form, length: shape.length)
                return BlockSizes(
                    stash: carver.used, workspace: shape.length * form.norm.dim,
                    packed: form.mapShape.preparedCount(shape.matrices, form.precision))
            } work: { tokens, operand in
                var w = WorkCounts()
                w.addProducts(columns: V, rows: D, slice: Double(tokens.slice), operand: operand)
                w.add(.norms, flops: 12 * D, floats: 5 * D)
                w.add(.elementwise, flops: 5 * V, floats: 2 * V)
                return w
            }
        }
    }

    private let form: Form
    private let norm: FeatureNorm
    private let map: LinearMap
    private var store: ParameterStore?
    /// Tokens that memory is laid out for.
    private var longest: Int?
    private var loss = TokenLoss()
    private static let name = "output"
    package let name: String = OutputHead.name

    package var lossSum: Double { loss.sum }
    package var tokenLosses: [Double] { loss.losses }

    package init(_ form: Form) {
        self.form = form
        norm = FeatureNorm(form.norm)
        map = LinearMap(form.mapShape)
    }

    fileprivate struct Stash {
        let norm: FeatureNorm.Stash
        /// x after the norm [T, D].
        let n: UnsafeMutablePointer<Float>
        /// [T, V]; their gradient once there are targets.
        let logits: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ form: Form, length T: Int) {
            norm = .init(&carver, form.norm.kind, groups: form.norm.groups, length: T)
            n = carver.take(T * form.norm.dim)
            logits = carver.take(T * form.vocabulary)
        }
    }

    package func bind(_ store: ParameterStore) {
        self.store = store
        norm.bind(store)
    }

    package func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {}

    package func beginStep(_ shape: SliceShape) {
        longest = shape.length
        map.beginStep()
        loss.prepare(length: shape.length)
    }

    package func endStep() {}

    private func layout(_ stash: UnsafeMutablePointer<Float>) -> Stash {
        guard let longest else { preconditionFailure("output: beginStep comes before forward and backward") }
        var carver = Carver(stash)
        return Stash(&carver, form, length: longest)
    }

    package func logits(stash: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> { layout(stash).logits }

    package func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        let f = layout(stash)
        norm.forward(context, x, to: f.n, f.norm)
        map.forward(
            context, store!.value(form.weight)!, FloatRows(f.n, stride: form.norm.dim),
            to: Destination(f.logits, stride: form.vocabulary))
        loss.take(context, logits: f.logits, vocabulary: form.vocabulary)
    }

    package func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        let f = layout(slice.stash)
        let dn = context.workspace
        map.backward(
            context, store!.value(form.weight)!, FloatRows(f.logits, stride: form.vocabulary),
            to: Destination(dn, stride: form.norm.dim))
        norm.backward(context, dy: dn, dx: dx, adds: false, x: slice.x, f.norm)
    }

    package func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {
        let f = layout(slice.stash)
        map.accumulateWeightGradient(
            context, store!.gradient(form.weight)!, FloatRows(f.logits, stride: form.vocabulary),
            FloatRows(f.n, stride: form.norm.dim))
    }
}
