import Hardware
import KernelInterface
import Numerics

/// Normalised feed-forward (GECKO.md, NFFN), the second half of a layer:
/// out = alpha * W2 (silu(W1 g) * W3 g) + residual, g = LN(y).
package final class FeedForward {
    private let c: GeckoConfiguration
    private let prefix: String
    private var tensors: BoundTensors?
    private let fc1: LinearMap
    private let fc2: LinearMap
    private let hiddenDropout: Dropout
    private let outputDropout: Dropout

    package init(_ c: GeckoConfiguration, layer: Int) {
        self.c = c
        prefix = Self.prefix(layer)
        let shapes = Self.mapShapes(c)
        fc1 = LinearMap(shapes.fc1)
        fc2 = LinearMap(shapes.fc2)
        hiddenDropout = Dropout(rate: c.hiddenDropout, layer: layer, site: DropoutSite.feedForwardHidden)
        outputDropout = Dropout(rate: c.dropout, layer: layer, site: DropoutSite.feedForwardOutput)
    }

    private static func prefix(_ layer: Int) -> String { "layers.\(layer).nffn." }

    static func mapShapes(_ c: GeckoConfiguration) -> (fc1: LinearMap.Shape, fc2: LinearMap.Shape) {
        (
            LinearMap.Shape(outputs: (c.swiglu ? 2 : 1) * c.ffnDim, inputs: c.dim),
            LinearMap.Shape(outputs: c.dim, inputs: c.ffnDim)
        )
    }

    package static func parameters(_ c: GeckoConfiguration, layer: Int) -> [ParameterSpec] {
        let prefix = prefix(layer)
        let (D, F) = (c.dim, c.ffnDim)
        let map = Initializer.normal(1 / (3 * Double(D)).squareRoot())
        var specs: [ParameterSpec] = []
        if c.normAffine {
            specs.append(ParameterSpec(prefix + "norm.weight", [D], .constant(0)))
            specs.append(ParameterSpec(prefix + "norm.bias", [D], .constant(0)))
        }
        specs.append(ParameterSpec(prefix + "fc1.weight", [F, D], map, decays: true))
        if c.swiglu {
            specs.append(ParameterSpec(prefix + "fc3.weight", [F, D], map, decays: true, joinsPrevious: true))
        }
        specs.append(
            ParameterSpec(prefix + "fc2.weight", [D, F], .normal(1 / (3 * Double(F)).squareRoot()), decays: true))
        if c.rescaleNFFN {
            var scale: Float = 0.1
            for _ in 0..<layer { scale *= 0.5 }
            specs.append(ParameterSpec(prefix + "alpha", [D], .constant(scale)))
        }
        return specs
    }

    package func bind(_ store: ParameterStore) { tensors = BoundTensors(store, prefix: prefix) }

    package func beginStep() { for map in [fc1, fc2] { map.beginStep() } }

    private func value(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.value(name) }
    private func gradient(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.gradient(name) }
    /// Columns of the first product: W1 and W3 side by side.
    private var wide: Int { c.swiglu ? 2 * c.ffnDim : c.ffnDim }

    package struct Stash {
        /// The layer norm's means and inverse deviations [T, groups].
        let m, r: UnsafeMutablePointer<Float>
        /// W1 g, beside W3 g with SwiGLU [T, F or 2 F].
        let a: UnsafeMutablePointer<Float>
        /// W2 h before it is rescaled [T, D]; empty where it isn't.
        let o: UnsafeMutablePointer<Float>

        package init(_ carver: inout Carver, _ c: GeckoConfiguration, length T: Int) {
            m = carver.take(T * c.lnGroups)
            r = carver.take(T * c.lnGroups)
            a = carver.take(T * (c.swiglu ? 2 : 1) * c.ffnDim)
            o = carver.take(c.rescaleNFFN ? T * c.dim : 0)
        }
    }

    package struct GradientStash {
        /// Of W2 h [T, D].
        let dout: UnsafeMutablePointer<Float>
        /// Of `a`, in its shape.
        let da: UnsafeMutablePointer<Float>

        package init(_ carver: inout Carver, _ c: GeckoConfiguration, length T: Int) {
            dout = carver.take(T * c.dim)
            da = carver.take(T * (c.swiglu ? 2 : 1) * c.ffnDim)
        }
    }

    /// g and h are made again for the weight gradients.
    package struct Workspace {
        /// [T, D].
        let g, dg: UnsafeMutablePointer<Float>
        /// [T, F].
        let h, dh: UnsafeMutablePointer<Float>

        package init(_ carver: inout Carver, _ c: GeckoConfiguration, length T: Int) {
            g = carver.take(T * c.dim)
            h = carver.take(T * c.ffnDim)
            dh = carver.take(T * c.ffnDim)
            dg = carver.take(T * c.dim)
        }
    }

    /// Where a backward finds its slice and leaves what the weight gradients take.
    package struct Memory {
        let stash: Stash
        let gradientStash: GradientStash
        let workspace: Workspace

        package init(stash: Stash, gradientStash: GradientStash, workspace: Workspace) {
            self.stash = stash
            self.gradientStash = gradientStash
            self.workspace = workspace
        }
    }

    /// y, residual, out [T, D].
    package func forward(
        _ context: SliceContext, y: UnsafePointer<Float>, residual: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Float>, stash f: Stash, workspace w: Workspace
    ) {
        let team = context.team
        let kernels = context.kernels
        let (T, D, F) = (context.length, c.dim, c.ffnDim)
        normalise(context, y: y, f, w)
        fc1.forward(context, value("fc1.weight"), FloatRows(w.g, stride: D), to: Destination(f.a, stride: wide))
        activate(context, f, w)
        let direct = !c.rescaleNFFN && !outputDropout.isActive(context)
        if direct { team.alone(as: .elementwise) { out.update(from: residual, count: T * D) } }
        let o = c.rescaleNFFN ? f.o : out
        fc2.forward(
            context, value("fc2.weight"), FloatRows(w.h, stride: F), to: Destination(o, stride: D, adds: direct))
        if direct { return }
        outputDropout.apply(context, o, o, D)
        team.alone(as: .elementwise) {
            if c.rescaleNFFN {
                kernels.tokens.elementwise.multiplyRow(out, o, value("alpha"), Extent(rows: T, columns: D))
            }
            kernels.tokens.elementwise.addTo(out, residual, T * D)
        }
    }

    /// g = LN(y).
    private func normalise(_ context: SliceContext, y: UnsafePointer<Float>, _ f: Stash, _ w: Workspace) {
        let D = c.dim
        let weight = c.normAffine ? value("norm.weight") : nil
        let bias = c.normAffine ? value("norm.bias") : nil
        context.team.share(context.length, as: .norms) { _, rows in
            let t = rows.lowerBound
            context.kernels.tokens.featureNorms.layerNorm(
                LayerNormArguments(
                    y: w.g + t * D,
                    statistics: GroupStatistics(means: f.m + t * c.lnGroups, scales: f.r + t * c.lnGroups),
                    x: y + t * D,
                    parameters: LayerNormParameters(weight: weight, bias: bias), shape: grouped(rows.count),
                    eps: Float(c.eps)))
        }
    }

    private func normed(_ y: UnsafePointer<Float>, _ f: Stash, from row: Int) -> LayerNormed {
        LayerNormed(x: y + row * c.dim, means: f.m + row * c.lnGroups, scales: f.r + row * c.lnGroups)
    }

    private func grouped(_ rows: Int) -> GroupedShape {
        GroupedShape(rows: rows, features: c.dim, groups: c.lnGroups)
    }

    /// h = dropout(silu(W1 g) * W3 g), from both products side by side.
    private func activate(_ context: SliceContext, _ f: Stash, _ w: Workspace) {
        let F = c.ffnDim
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            if c.swiglu {
                context.kernels.tokens.gating.swiglu(w.h + t * F, f.a + t * wide, Extent(rows: rows.count, columns: F))
            } else {
                context.kernels.tokens.gating.biasSilu(
                    BiasSiluArguments(
                        x: MutableFloatRows(f.a + t * wide, stride: wide), bias: nil,
                        y: MutableFloatRows(w.h + t * F, stride: F), extent: Extent(rows: rows.count, columns: F)))
            }
        }
        hiddenDropout.apply(context, w.h, w.h, F)
    }

    /// dout -> dy [T, D], through the norm only, added to dy when `add`; the residual's gradient is dout itself.
    package func backward(
        _ context: SliceContext, dout: UnsafePointer<Float>, dy: UnsafeMutablePointer<Float>, add: Bool,
        y: UnsafePointer<Float>, _ memory: Memory
    ) {
        let (f, g, w) = (memory.stash, memory.gradientStash, memory.workspace)
        let team = context.team
        let kernels = context.kernels
        let (T, D, F) = (context.length, c.dim, c.ffnDim)
        if c.rescaleNFFN {
            let dalpha = gradient("alpha")
            team.share(D, grain: 16) { _, columns in
                let i = columns.lowerBound
                kernels.tokens.elementwise.columnDots(
                    FloatRows(dout + i, stride: D), FloatRows(f.o + i, stride: D),
                    Extent(rows: T, columns: columns.count), dalpha + i)
            }
            team.alone(as: .elementwise) {
                kernels.tokens.elementwise.multiplyRow(g.dout, dout, value("alpha"), Extent(rows: T, columns: D))
            }
            outputDropout.apply(context, g.dout, g.dout, D)
        } else {
            outputDropout.apply(context, dout, g.dout, D)
        }
        fc2.backward(context, value("fc2.weight"), FloatRows(g.dout, stride: D), to: Destination(w.dh, stride: F))
        hiddenDropout.apply(context, w.dh, w.dh, F)
        team.share(T) { _, rows in
            let t = rows.lowerBound
            if c.swiglu {
                kernels.tokens.gating.swigluBackward(
                    SwigluBackwardArguments(
                        da: g.da + t * wide, dh: w.dh + t * F, a: f.a + t * wide,
                        extent: Extent(rows: rows.count, columns: F)))
            } else {
                kernels.tokens.gating.siluBackward(
                    SiluBackwardArguments(
                        dx: MutableFloatRows(g.da + t * F, stride: F), dy: FloatRows(w.dh + t * F, stride: F),
                        x: FloatRows(f.a + t * F, stride: F), extent: Extent(rows: rows.count, columns: F)))
            }
        }
        fc1.backward(context, value("fc1.weight"), FloatRows(g.da, stride: wide), to: Destination(w.dg, stride: D))
        let weight = c.normAffine ? value("norm.weight") : nil
        team.share(T, as: .norms) { _, rows in
            let t = rows.lowerBound
            kernels.tokens.featureNorms.layerNormBackward(
                LayerNormBackwardArguments(
                    dx: dy + t * D, dy: w.dg + t * D,
                    forward: normed(y, f, from: t), weight: weight,
                    shape: grouped(rows.count), adds: add))
        }
        if c.normAffine {
            let gradients = LayerNormParameterGradients(weight: gradient("norm.weight"), bias: gradient("norm.bias"))
            team.share(D, grain: 16, as: .norms) { _, columns in
                kernels.tokens.featureNorms.layerNormWeight(
                    LayerNormWeightArguments(
                        gradients: gradients, dy: w.dg,
                        forward: normed(y, f, from: 0), shape: grouped(T),
                        columns: columns))
            }
        }
    }

    package func accumulateWeightGradients(_ context: SliceContext, y: UnsafePointer<Float>, _ memory: Memory) {
        let (f, g, w) = (memory.stash, memory.gradientStash, memory.workspace)
        activate(context, f, w)
        fc2.accumulateWeightGradient(
            context, gradient("fc2.weight"), FloatRows(g.dout, stride: c.dim), FloatRows(w.h, stride: c.ffnDim))
        normalise(context, y: y, f, w)
        fc1.accumulateWeightGradient(
            context, gradient("fc1.weight"), FloatRows(g.da, stride: wide), FloatRows(w.g, stride: c.dim))
    }
}
