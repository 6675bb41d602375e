import Hardware
import KernelInterface
import Numerics

/// A norm over the features of each token, in equal groups, with a weight that is stored without its 1 (GECKO.md,
/// Norms; LLAMA.md): RMS, y = x r (1 + weight), or the layer norm, y = (x - m) r (1 + weight) + bias.
package final class FeatureNorm {
    package enum Kind: Sendable { case rms, layer }

    package struct Form: Sendable {
        let kind: Kind
        /// Before the names of its tensors, `weight` and `bias`.
        let prefix: String
        let dim: Int
        let groups: Int
        let eps: Double
        /// Whether it has a weight, and a layer norm its bias.
        let isAffine: Bool

        package init(_ kind: Kind, prefix: String, dim: Int, groups: Int = 1, eps: Double, isAffine: Bool = true) {
            self.kind = kind
            self.prefix = prefix
            self.dim = dim
            self.groups = groups
            self.eps = eps
            self.isAffine = isAffine
        }

        package var parameters: [ParameterSpec] {
            guard isAffine else { return [] }
            let weight = ParameterSpec(prefix + "weight", [dim], .constant(0))
            return kind == .rms ? [weight] : [weight, ParameterSpec(prefix + "bias", [dim], .constant(0))]
        }
    }

    package let form: Form
    private var tensors: BoundTensors?

    package init(_ form: Form) { self.form = form }

    package func bind(_ store: ParameterStore) {
        tensors = form.isAffine ? BoundTensors(store, prefix: form.prefix) : nil
    }

    /// What a slice's forward keeps for its backward.
    package struct Stash {
        /// The means [T, groups] of a layer norm; an RMS norm has none.
        let m: UnsafeMutablePointer<Float>
        /// Inverse deviations, or inverse root mean squares [T, groups].
        let r: UnsafeMutablePointer<Float>

        package init(_ carver: inout Carver, _ kind: Kind, groups: Int = 1, length T: Int) {
            m = carver.take(kind == .layer ? T * groups : 0)
            r = carver.take(T * groups)
        }
    }

    private var weight: UnsafePointer<Float>? { tensors.map { UnsafePointer($0.value("weight")) } }
    private var bias: UnsafePointer<Float>? { tensors.map { UnsafePointer($0.value("bias")) } }

    private func shape(_ rows: Int) -> GroupedShape {
        GroupedShape(rows: rows, features: form.dim, groups: form.groups)
    }

    private func normed(_ x: UnsafePointer<Float>, _ f: Stash, from row: Int) -> LayerNormed {
        LayerNormed(x: x + row * form.dim, means: f.m + row * form.groups, scales: f.r + row * form.groups)
    }

    /// x -> y [T, D].
    package func forward(
        _ context: SliceContext, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, _ f: Stash
    ) {
        let (weight, bias) = (weight, form.kind == .layer ? bias : nil)
        let (D, groups, eps) = (form.dim, form.groups, Float(form.eps))
        let norms = context.kernels.tokens.featureNorms
        context.team.share(context.length, as: .norms) { _, rows in
            let t = rows.lowerBound
            switch form.kind {
            case .rms:
                norms.rmsNorm(
                    RMSNormArguments(
                        y: MutableFloatRows(y + t * D, stride: D), scales: f.r + t * groups,
                        x: FloatRows(x + t * D, stride: D), weight: weight, shape: shape(rows.count), eps: eps))
            case .layer:
                norms.layerNorm(
                    LayerNormArguments(
                        y: y + t * D, statistics: GroupStatistics(means: f.m + t * groups, scales: f.r + t * groups),
                        x: x + t * D, parameters: LayerNormParameters(weight: weight, bias: bias),
                        shape: shape(rows.count), eps: eps))
            }
        }
    }

    /// dy -> dx [T, D], added to dx when `adds`; adds the gradients of weight and bias.
    ///
    /// - Parameter x: what the forward read
    package func backward(
        _ context: SliceContext, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, adds: Bool,
        x: UnsafePointer<Float>, _ f: Stash
    ) {
        let weight = weight
        let D = form.dim
        let norms = context.kernels.tokens.featureNorms
        context.team.share(context.length, as: .norms) { _, rows in
            let t = rows.lowerBound
            switch form.kind {
            case .rms:
                norms.rmsNormBackward(
                    RMSNormBackwardArguments(
                        dx: MutableFloatRows(dx + t * D, stride: D), dy: FloatRows(dy + t * D, stride: D),
                        x: FloatRows(x + t * D, stride: D), scales: f.r + t * form.groups, weight: weight,
                        shape: shape(rows.count), adds: adds))
            case .layer:
                norms.layerNormBackward(
                    LayerNormBackwardArguments(
                        dx: dx + t * D, dy: dy + t * D, forward: normed(x, f, from: t), weight: weight,
                        shape: shape(rows.count), adds: adds))
            }
        }
        if let tensors { addWeightGradients(context, tensors, dy: dy, x: x, f) }
    }

    private func addWeightGradients(
        _ context: SliceContext, _ tensors: BoundTensors, dy: UnsafePointer<Float>, x: UnsafePointer<Float>, _ f: Stash
    ) {
        let norms = context.kernels.tokens.featureNorms
        let weight = tensors.gradient("weight")
        let bias = form.kind == .layer ? tensors.gradient("bias") : weight
        context.team.share(form.dim, grain: 16, as: .norms) { _, columns in
            switch form.kind {
            case .rms:
                norms.rmsNormWeight(
                    RMSNormWeightArguments(
                        dweight: weight, dy: dy, x: x, scales: f.r, shape: shape(context.length), columns: columns))
            case .layer:
                norms.layerNormWeight(
                    LayerNormWeightArguments(
                        gradients: LayerNormParameterGradients(weight: weight, bias: bias), dy: dy,
                        forward: normed(x, f, from: 0), shape: shape(context.length), columns: columns))
            }
        }
    }
}
